"""Scripts for other people's readers of what we export, run by the Python that has them; each prints one JSON value.

The validator of crates wants the contexts from the network: RO-Crate's is served from the copy in the `rocrate`
package, the workflow run terms from a list of those that are used. That copy is of RO-Crate 1.3, which has other names
for what a workflow is than 1.1 (its specification, appendix on the JSON-LD context): those are put back. The two checks
that a context can be fetched are left out.
"""

import json
import subprocess
from pathlib import Path
from typing import Any

READ_CRATE = """
import json, sys
from rocrate.rocrate import ROCrate
crate = ROCrate(sys.argv[1])
runs = [{
    "description": run["description"], "version": run["instrument"]["version"],
    "sha256": run["containerImage"]["sha256"],
    "object": [o["name"] for o in run.get("object", [])], "result": [o["sha256"] for o in run.get("result", [])],
} for run in crate.root_dataset["mentions"]]
print(json.dumps({"name": crate.name, "runs": runs}))
"""
READ_WORKFLOW = """
import json, sys
from rocrate.rocrate import ROCrate
crate = ROCrate(sys.argv[1])
(whole,) = [a for a in crate.root_dataset["mentions"] if a.get("instrument") == crate.mainEntity]
named = lambda of, key: [each["name"] for each in of.get(key, [])]
print(json.dumps({
    "main": crate.mainEntity.id, "types": crate.mainEntity.type,
    "language": crate.mainEntity["programmingLanguage"]["name"],
    "input": named(crate.mainEntity, "input"), "output": named(crate.mainEntity, "output"),
    "status": whole["actionStatus"].rpartition("/")[2],
    "error": whole.get("error", ""), "end": whole.get("endTime", ""),
    "read": [named(c, "hasPart") for c in whole.get("object", [])],
    "wrote": [named(c, "hasPart") for c in whole.get("result", [])],
    "actions": len(crate.root_dataset["mentions"]),
}))
"""
VALIDATE_CRATE = """
import email.message, io, json, pathlib, sys, urllib.request, urllib.response, rocrate
TERMS = "https://w3id.org/ro/terms/workflow-run"
used = ("DockerImage", "ContainerImage", "containerImage", "environment", "registry", "tag", "sha256")
crate = json.loads((pathlib.Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_bytes())
work = "https://bioschemas.org/ComputationalWorkflow"
crate["@context"] |= {"ComputationalWorkflow": work, "input": f"{work}#input", "output": f"{work}#output"}
crate["@context"] |= {"FormalParameter": "https://bioschemas.org/FormalParameter"}
known = {
    "https://w3id.org/ro/crate/1.1/context": json.dumps(crate).encode(),
    TERMS + "/context": json.dumps({"@context": {name: f"{TERMS}#{name}" for name in used}}).encode(),
}
class Kept(urllib.request.HTTPSHandler):
    def https_open(self, request):
        head = email.message.Message()
        head["Content-Type"] = "application/ld+json"
        answer = urllib.response.addinfourl(io.BytesIO(known[request.full_url]), head, request.full_url, 200)
        answer.msg = "OK"
        return answer
urllib.request.install_opener(urllib.request.build_opener(Kept))
from rocrate_validator import models, services
asked = services.ValidationSettings(rocrate_uri=sys.argv[1], profile_identifier=sys.argv[2])
done = services.validate(asked)
fetching = ("ro-crate-1.1_3.1", "ro-crate-1.1_3.2")
issues = [i.message for i in done.get_issues() if i.check.identifier not in fetching]
print(json.dumps({"checks": len(done.executed_checks), "issues": issues}))
"""
READ_STATEMENT = """
import json, sys
from google.protobuf.json_format import ParseDict
from in_toto_attestation.v1.statement import Statement
import in_toto_attestation.predicates.provenance.v1.provenance_pb2 as provenance_pb2
import in_toto_attestation.v1.statement_pb2 as statement_pb2
told = json.load(open(sys.argv[1]))
pb = ParseDict(told, statement_pb2.Statement())
Statement.copy_from_pb(pb).validate()
predicate = ParseDict(told["predicate"], provenance_pb2.Provenance())
assert predicate.build_definition.build_type and predicate.run_details.builder.id
print(json.dumps({"subject": [s.digest["sha256"] for s in pb.subject],
                  "dependencies": [dict(d.digest) for d in predicate.build_definition.resolved_dependencies]}))
"""


def answered(readers: str, script: str, *args: str | Path) -> Any:
    """What a script prints, as a value; it has to end well."""
    done = subprocess.run([readers, "-c", script, *map(str, args)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout.splitlines()[-1])
