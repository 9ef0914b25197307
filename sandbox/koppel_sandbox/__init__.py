"""Faithful fakes of the neighbours, with faults on request. They import nothing of ours and never ship."""

from .installed import Demo, Sandbox, SandboxError, installed_sandboxes

__all__ = ["Demo", "Sandbox", "SandboxError", "installed_sandboxes"]
