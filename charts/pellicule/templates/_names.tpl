{{/*
Names and labels. A context has: root (the chart's own dot), name (the service), and for a workload role.
*/}}

{{/* Name of what belongs to a service: RELEASE-SERVICE, with a suffix if one is given. */}}
{{- define "pellicule.name" -}}
{{- join "-" (compact (list .root.Release.Name .name .suffix)) }}
{{- end }}

{{/* Name of a service's internal Service, as its callers say it. */}}
{{- define "pellicule.internalHost" -}}
{{- printf "%s-%s-internal.%s.svc.%s" .root.Release.Name .name .root.Release.Namespace .root.Values.clusterDomain }}
{{- end }}

{{/* What never changes of a pod's labels: selectors are immutable. */}}
{{- define "pellicule.selector" -}}
app.kubernetes.io/part-of: pellicule
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/name: {{ .name }}
{{- with .role }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end }}

{{/* A pod's: no more than says what it is, for a pod whose labels change is made anew. */}}
{{- define "pellicule.podLabels" -}}
{{ include "pellicule.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
{{- end }}

{{- define "pellicule.labels" -}}
{{ include "pellicule.podLabels" . }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* Image of every process: by its digest where one is given, for a tag may be moved. */}}
{{- define "pellicule.image" -}}
{{- with .root.Values.image }}
{{- if .digest }}{{ printf "%s@%s" .repository .digest }}
{{- else }}{{ printf "%s:%s" .repository (default $.root.Chart.AppVersion .tag) }}
{{- end }}
{{- end }}
{{- end }}

{{/* What a role's values are: those of all services, and over them those of this one. */}}
{{- define "pellicule.role" -}}
{{- mergeOverwrite (deepCopy (index .root.Values .role)) (index .given .role | default dict | deepCopy) | toJson }}
{{- end }}

{{/* Whether `helm test` has what it needs to be somebody. */}}
{{- define "pellicule.smokes" -}}
{{- if or .Values.smoke.token.secret .Values.smoke.issuerKey.secret }}true{{ end }}
{{- end }}

{{- define "pellicule.usesKnative" -}}
{{- range .Values.services }}{{ if eq .mode "knative" }}true{{ end }}{{ end }}
{{- end }}
