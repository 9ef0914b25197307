"""The manifests of deploy/kubernetes: rendered, compared with the code, and checked for what no schema can say."""
