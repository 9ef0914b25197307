"""The manifests of Kubernetes are what the services' values say today.

Why: a route, a secret or a call that is added without them works on a laptop, and is refused by the cluster.
"""

from deploy.kubernetes.generator import output


def test_the_committed_files_are_what_is_generated() -> None:
    wanted, there = output.files(), output.committed()
    differing = sorted(str(path) for path in wanted.keys() | there.keys() if wanted.get(path) != there.get(path))
    assert not differing, f"run `{output.COMMAND}` and commit what it writes: {', '.join(differing)}"
