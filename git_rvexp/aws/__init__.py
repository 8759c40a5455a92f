"""The only door to botocore: clients, what their errors mean, who we are, ECR, and the service models.

Nothing here knows of jobs, images or snapshots, and nothing is imported from botocore before it is used.
"""

from git_rvexp.aws.bounds import raw_replies
from git_rvexp.aws.ecr import Repository, Stored, ecr_auth, ecr_image, ecr_lifecycle, ecr_repository
from git_rvexp.aws.faults import DeniedError, ServiceError, ThrottledError, UnreachableError, calling
from git_rvexp.aws.models import unknown_members
from git_rvexp.aws.session import client, identity

__all__ = [
    "DeniedError",
    "Repository",
    "ServiceError",
    "Stored",
    "ThrottledError",
    "UnreachableError",
    "calling",
    "client",
    "ecr_auth",
    "ecr_image",
    "ecr_lifecycle",
    "ecr_repository",
    "identity",
    "raw_replies",
    "unknown_members",
]
