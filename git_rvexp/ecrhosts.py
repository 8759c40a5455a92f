"""How the hosts of Amazon's private registries are named. Asking them is the business of `aws.ecr`."""

import re

ECR_HOST = re.compile(r"(\d{12})\.dkr[.-]ecr(?:-fips)?\.([a-z0-9-]+)\.(?:amazonaws\.com(?:\.cn)?|on\.aws)(?::\d+)?")
"""Account and region, and a port perhaps."""


def is_ecr(registry: str) -> bool:
    """Whether `registry` is the host name of a private ECR registry."""
    return ECR_HOST.fullmatch(registry) is not None
