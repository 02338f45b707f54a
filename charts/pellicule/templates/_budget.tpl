{{/* How many of a role's pods may be taken away at a time, for a drained node. One may, however few there are. */}}
{{- define "pellicule.budget" }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "pellicule.name" . }}
  labels:
    {{- include "pellicule.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .root.Values.disruptionBudget.maxUnavailable }}
  {{- /* One that is not ready serves no call, and must not keep a node from being drained. */}}
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "pellicule.selector" . | nindent 6 }}
{{- end }}
