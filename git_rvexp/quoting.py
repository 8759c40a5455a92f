"""A file's name for people: one line, whatever the name holds, in git's own quoting."""

# As git has them (quote.c); what else is not printable is shown as the octal values of its bytes.
_KNOWN = {"\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r", '"': '"', "\\": "\\"}


def quoted(path: str) -> str:
    """`path` as `git -c core.quotePath=false` shows it: in quotes and escaped where it could be taken for more.

    Beyond git's rule, what turns or hides a text (C1, bidirectional characters) and what is no UTF-8 is escaped.
    """
    if path.isprintable() and '"' not in path and "\\" not in path:
        return path
    return '"' + "".join(map(_escaped, path)) + '"'


def _escaped(character: str) -> str:
    if character in _KNOWN:
        return "\\" + _KNOWN[character]
    if character.isprintable():
        return character
    raw = "\udc80" <= character <= "\udcff"  # a byte that is no UTF-8; other surrogates come from JSON
    return "".join(f"\\{byte:03o}" for byte in character.encode("utf-8", "surrogateescape" if raw else "surrogatepass"))
