"""The development stack for those tests here that need the real forge, registry and engine."""

from tests.integration.conftest import forge_repo, registry_repo, stack

__all__ = ["forge_repo", "registry_repo", "stack"]
