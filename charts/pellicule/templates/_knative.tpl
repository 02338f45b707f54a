{{/*
The public listener as a Knative Service: one port, in clear behind an ingress that ends TLS, no more of a pod than
Knative takes. Its name is none that a Deployment's Services have: Knative makes Services of its own.
*/}}
{{- define "pellicule.knative" }}
{{- $role := include "pellicule.role" . | fromJson }}
{{- $scale := $role.knative }}
{{- $least := ternary (max 1 $scale.minScale) $scale.minScale (.own.gates | default false) }}
---
apiVersion: serving.knative.dev/v1
kind: Service
metadata:
  name: {{ include "pellicule.name" . }}
  labels:
    {{- include "pellicule.labels" . | nindent 4 }}
    {{- if eq .root.Values.knative.visibility "cluster-local" }}
    networking.knative.dev/visibility: cluster-local
    {{- end }}
spec:
  template:
    metadata:
      labels:
        {{- include "pellicule.podLabels" . | nindent 8 }}
      annotations:
        {{- with .root.Values.podAnnotations }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
        autoscaling.knative.dev/min-scale: {{ $least | quote }}
        autoscaling.knative.dev/max-scale: {{ $scale.maxScale | quote }}
    spec:
      containerConcurrency: {{ $scale.containerConcurrency }}
      timeoutSeconds: {{ $scale.timeoutSeconds }}
      {{- include "pellicule.pod" (merge (dict "values" $role "lasts" true) .) | nindent 6 }}
{{- end }}
