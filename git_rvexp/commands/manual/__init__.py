"""What is made from the table of verbs and their parsers: the man page and the completions. No verb lives here."""
