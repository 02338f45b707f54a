{{/* Servers scale on their processor's use. */}}
{{- define "pellicule.autoscaler" }}
{{- $role := include "pellicule.role" . | fromJson }}
{{- with $role.autoscaling }}
{{- if .enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ include "pellicule.name" $ }}
  labels:
    {{- include "pellicule.labels" $ | nindent 4 }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ include "pellicule.name" $ }}
  minReplicas: {{ .minReplicas }}
  maxReplicas: {{ .maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target:
          type: Utilization
          averageUtilization: {{ .cpuUtilization }}
  behavior:
    scaleDown:
      stabilizationWindowSeconds: 300
{{- end }}
{{- end }}
{{- end }}

{{/*
Workers scale on what waits for them on the bus: the lag of their consumer, which Jobs have made before (KEDA keeps a
worker whose stream is not there).
*/}}
{{- define "pellicule.lagScaler" }}
{{- $role := include "pellicule.role" . | fromJson }}
{{- $bus := .root.Values.nats.monitoring }}
{{- /* KEDA asks from a namespace of its own, where a name without one is another. */}}
{{- $host := regexReplaceAll ":.*" $bus.endpoint "" }}
{{- $endpoint := contains "." $host | ternary $bus.endpoint (replace $host (printf "%s.%s.svc" $host .root.Release.Namespace) $bus.endpoint) }}
{{- with $role.keda }}
{{- if .enabled }}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata:
  name: {{ include "pellicule.name" $ }}
  labels:
    {{- include "pellicule.labels" $ | nindent 4 }}
spec:
  scaleTargetRef:
    name: {{ include "pellicule.name" $ }}
  pollingInterval: {{ .pollingSeconds }}
  cooldownPeriod: {{ .cooldownSeconds }}
  minReplicaCount: {{ .minReplicas }}
  maxReplicaCount: {{ .maxReplicas }}
  {{- /* A bus that does not answer must not leave work lying. */}}
  fallback:
    failureThreshold: 5
    replicas: {{ max 1 .minReplicas }}
  triggers:
    - type: nats-jetstream
      metadata:
        natsServerMonitoringEndpoint: {{ $endpoint | quote }}
        account: {{ $bus.account | quote }}
        useHttps: {{ $bus.https | quote }}
        stream: {{ printf "%s_WORK" (upper $.name) }}
        consumer: {{ printf "%s-worker" $.name }}
        lagThreshold: {{ .lag | quote }}
        activationLagThreshold: "0"
{{- end }}
{{- end }}
{{- end }}
