"""Faithful fakes of the vendors, with faults on request. They import nothing of ours and never ship."""

from .driver import Company, Entry, LostAnswer, SandboxDriver
from .installed import Demo, Sandbox, SandboxError, installed_sandboxes

__all__ = [
    "Company",
    "Demo",
    "Entry",
    "LostAnswer",
    "Sandbox",
    "SandboxDriver",
    "SandboxError",
    "installed_sandboxes",
]
