{{/*
Names and labels. A context has: root (the chart's own dot), component (server, engines, ...), and suffix where the
object's name has one.
*/}}

{{- define "inference.name" -}}
{{- join "-" (compact (list .root.Release.Name .suffix)) }}
{{- end }}

{{/* What never changes of a pod's labels: selectors are immutable. */}}
{{- define "inference.selector" -}}
app.kubernetes.io/part-of: pellicule
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/name: inference
app.kubernetes.io/component: {{ .component }}
{{- end }}

{{- define "inference.labels" -}}
{{ include "inference.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* An image by its digest where one is given, for a tag may be moved. */}}
{{- define "inference.image" -}}
{{- $image := first . }}
{{- if $image.digest }}{{ printf "%s@%s" $image.repository $image.digest }}
{{- else }}{{ printf "%s:%s" $image.repository (default (last .).Chart.AppVersion $image.tag) }}
{{- end }}
{{- end }}

{{- define "inference.tlsSecret" -}}
{{- .Values.tls.existingSecret | default (printf "%s-tls" .Release.Name) }}
{{- end }}

{{/* The address of the servers: each call goes to one of them in turn, since it has no address of its own. */}}
{{- define "inference.address" -}}
{{- printf "%s.%s.svc.%s:8001" .Release.Name .Release.Namespace .Values.clusterDomain }}
{{- end }}

{{/* An account of the release's own, which gets no token. */}}
{{- define "inference.account" }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "inference.name" . }}
  labels:
    {{- include "inference.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- with .secrets }}
secrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Whether something runs here that graphics cards are needed for. */}}
{{- define "inference.onCards" -}}
{{- if eq .Values.processor "gpu" }}true{{ end }}
{{- end }}
