"""Holds built kustomizations against what neither kustomize nor a schema sees: that what refers to something finds it, that pods pass the
restricted standard of pod security, and that the parts of a sharded exporter are all parts.

    kubernetes-promises.py FILE ..
"""

import pathlib
import re
import sys

import yaml


def of_kind(resources, *kinds):
    return [resource for resource in resources if resource["kind"] in kinds]


def pod_is_restricted(pod, containers, claims):
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted, and more that the exporter does not need."""
    assert not any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC", "initContainers", "ephemeralContainers"))
    assert pod["automountServiceAccountToken"] is False, "it gets a token"
    assert pod["enableServiceLinks"] is False, "services' variables are in its environment"
    security = pod["securityContext"]
    assert security["runAsNonRoot"] is True and security["runAsUser"] > 0 and security["runAsGroup"] > 0
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    for volume in pod.get("volumes", []):
        assert set(volume) <= {"name", "configMap", "secret"}, f"the volume {volume['name']}"
    for container in containers:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }
        assert all("hostPort" not in port for port in container["ports"])
        assert all(mount.get("readOnly") or mount["name"] in claims for mount in container.get("volumeMounts", [])), "a mount is writable"
        assert not container["image"].endswith(":latest") and ":" in container["image"]
        assert container["readinessProbe"], "no probe"
        assert container["resources"]["requests"].keys() == {"cpu", "memory"} and container["resources"]["limits"].keys() == {"memory"}


def selects(selector, labels):
    wanted = selector.get("matchLabels", selector) if selector else {}
    return wanted.items() <= labels.items()


def check(resources):
    workloads = of_kind(resources, "StatefulSet", "Deployment")
    exporter, = of_kind(resources, "StatefulSet")
    namespace, = of_kind(resources, "Namespace")
    for resource in resources:
        assert resource is namespace or resource["metadata"]["namespace"] == namespace["metadata"]["name"], resource["metadata"]["name"]
    levels = namespace["metadata"]["labels"]
    assert levels["pod-security.kubernetes.io/enforce"] == "restricted"

    names = {(resource["kind"], resource["metadata"]["name"]) for resource in resources}
    for workload in workloads:
        template = workload["spec"]["template"]
        pod, labels = template["spec"], template["metadata"]["labels"]
        claims = {claim["metadata"]["name"] for claim in workload["spec"].get("volumeClaimTemplates", [])}
        pod_is_restricted(pod, pod["containers"], claims)
        mounts = {mount["name"] for container in pod["containers"] for mount in container.get("volumeMounts", [])}
        assert mounts == claims | {volume["name"] for volume in pod.get("volumes", [])}, "a volume is not mounted, or not there"
        assert selects(workload["spec"]["selector"], labels), "the workload does not know its pods"
        assert ("ServiceAccount", pod["serviceAccountName"]) in names
        for volume in pod.get("volumes", []):
            if "configMap" in volume:
                assert ("ConfigMap", volume["configMap"]["name"]) in names, f"no ConfigMap {volume['configMap']['name']}"
        ports = {port["name"]: port["containerPort"] for port in pod["containers"][0]["ports"]}
        for probe in ("livenessProbe", "readinessProbe"):
            if probe in pod["containers"][0]:
                assert pod["containers"][0][probe]["httpGet"]["port"] in ports
        # Each pod belongs to one Service, has its ports, and has a network policy for both directions.
        service, = [service for service in of_kind(resources, "Service") if selects(service["spec"]["selector"], labels)]
        assert all(port["targetPort"] in ports for port in service["spec"]["ports"])
        policies = [policy for policy in of_kind(resources, "NetworkPolicy") if selects(policy["spec"]["podSelector"], labels)]
        assert {direction for policy in policies for direction in policy["spec"]["policyTypes"]} == {"Ingress", "Egress"}
        opened = {port["port"] for policy in policies for rule in policy["spec"]["ingress"] for port in rule["ports"]}
        assert set(ports.values()) <= opened, f"the policy keeps everybody from {ports}"

    labels = exporter["spec"]["template"]["metadata"]["labels"]
    service, = [service for service in of_kind(resources, "Service") if selects(service["spec"]["selector"], labels)]
    assert exporter["spec"]["serviceName"] == service["metadata"]["name"]

    # The image's state directory, writable for a user that is not root.
    state = re.search("^ENV STATE_DIRECTORY=(.*)$", pathlib.Path("Dockerfile").read_text(), re.MULTILINE)[1]
    pod = exporter["spec"]["template"]["spec"]
    container = pod["containers"][0]
    claim, = exporter["spec"]["volumeClaimTemplates"]
    assert {"name": claim["metadata"]["name"], "mountPath": state} in container["volumeMounts"], "the state is not on its volume"
    assert pod["securityContext"]["fsGroup"] == pod["securityContext"]["runAsGroup"], "the volume can't be written"

    replicas = exporter["spec"]["replicas"]
    variable, = container["env"]
    assert variable["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.labels['apps.kubernetes.io/pod-index']"
    first = exporter["spec"]["ordinals"]["start"]
    shards = {
        argument.replace(f"$({variable['name']})", str(ordinal)).removeprefix("--shard=")
        for ordinal in range(first, first + replicas) for argument in container["args"] if argument.startswith("--shard=")
    }
    assert shards == {f"{part}/{replicas}" for part in range(1, replicas + 1)}, f"the parts are {shards}"

    budgets = of_kind(resources, "PodDisruptionBudget")
    assert len(budgets) == (replicas > 1), "a budget for one pod stands in the way; several have one"
    assert all(selects(budget["spec"]["selector"], labels) for budget in budgets)

    for monitor in of_kind(resources, "ServiceMonitor"):
        assert selects(monitor["spec"]["selector"], service["metadata"]["labels"]), "the ServiceMonitor finds no Service"
        named = {port["name"] for port in service["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= named
        # The alerts find exporters by it.
        assert service["metadata"]["name"].startswith("minergate")

    # The default selector of kube-prometheus-stack's operator.
    releases = {resource["metadata"]["labels"].get("release") for resource in of_kind(resources, "ServiceMonitor", "PrometheusRule")}
    assert len(releases) <= 1, f"some have a release's name, and some have not: {releases}"

    dashboards = [name for kind, name in names if kind == "ConfigMap" and "dashboard" in name]
    for resource in of_kind(resources, "ConfigMap"):
        if resource["metadata"]["name"] in dashboards:
            assert resource["metadata"]["labels"]["grafana_dashboard"] == "1", "the sidecar does not find it"
    return dashboards, releases


seen, selected = set(), set()
for path in map(pathlib.Path, sys.argv[1:]):
    try:
        dashboards, releases = check(list(yaml.safe_load_all(path.read_text())))
        seen |= set(dashboards)
        selected |= releases
    except (AssertionError, ValueError, KeyError, StopIteration) as error:
        line = error.__traceback__
        while line.tb_next:
            line = line.tb_next
        sys.exit(f"error: {path.name}: {str(error) or 'a promise is not kept'} (kubernetes-promises.py, line {line.tb_lineno})")
written = {f"minergate-dashboard-{re.sub('^minergate-', '', file.stem)}" for file in pathlib.Path("grafana/dashboards").glob("*.json")}
assert seen == written, f"dashboards without a ConfigMap, or the other way round: {seen ^ written}"
assert selected == {None, "kube-prometheus-stack"}, f"with and without the patch: {selected}"
