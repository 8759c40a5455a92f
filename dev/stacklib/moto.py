"""AWS: a moto server, whose Batch truly runs each job's image in the stack's engine."""

import os

from stacklib import engine, paths, venv
from stacklib.part import Part, Running, http_status
from stacklib.process import free_port, spawn, wait_until

REGION = "us-east-1"
KEY = "rvexpdev"  # moto checks no credentials; these are easy to find where they must not be
SECRET = "rvexp-dev-aws-secret"


def start() -> Running:
    """Start the server from the project's virtual environment, which is made when it is missing."""
    venv.ensure("moto_server")
    home = paths.folder("moto")
    port, log, host = free_port(home / "port"), home / "log", engine.address()
    env = {key: value for key, value in os.environ.items() if not key.startswith(("AWS_", "MOTO_", "DOCKER_"))}
    env |= {
        "DOCKER_HOST": host,
        # Jobs share the machine's network, so that they reach this server and the registry on loopback.
        "MOTO_DOCKER_NETWORK_MODE": "host",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": REGION,
    }
    process = spawn([str(venv.FOLDER / "bin/moto_server"), "-H", "127.0.0.1", "-p", str(port)], log, env)
    wait_until(lambda: http_status(port, "/moto-api/") == 200, process, "moto_server", log)
    return Running(
        where=f"http://127.0.0.1:{port}",
        processes=(process,),
        exports={
            "RVEXP_DEV_AWS_ENDPOINT": f"http://127.0.0.1:{port}",
            "RVEXP_DEV_AWS_REGION": REGION,
            "RVEXP_DEV_AWS_ACCESS_KEY_ID": KEY,
            "RVEXP_DEV_AWS_SECRET_ACCESS_KEY": SECRET,
        },
        facts={"port": str(port), "host": host},
    )


def answers(running: Running) -> bool:
    """Whether the server answers and runs its jobs in the engine that the stack uses now."""
    return running.facts["host"] == engine.address() and http_status(int(running.facts["port"]), "/moto-api/") == 200


PART = Part("moto", start, answers, venv.packages, after=("engine",))
