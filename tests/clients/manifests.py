"""Holds Compose files and Kubernetes manifests against their schemas, and prints all that they say as JSON."""

import json
import sys

import compose_spec
import kubernetes_validate
import yaml

# The oldest that has all that is used, and the newest that is known.
KUBERNETES = ["1.30", "1.37"]


def checked(document):
    if "services" in document:
        compose_spec.PyCompose.from_json(json.dumps(document))
    else:
        for version in KUBERNETES:
            kubernetes_validate.validate(document, version, strict=True)
    return document


def documents(path):
    with open(path, encoding="utf-8") as file:
        return [checked(document) for document in yaml.safe_load_all(file)]


print(json.dumps([document for path in sys.argv[1:] for document in documents(path)]))
