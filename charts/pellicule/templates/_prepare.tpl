{{/*
Before a release is installed or upgraded: migrations, streams, buckets and their rules. Nothing else of the release may
be there yet, so the Jobs bring their account and their way through network policies with them, and take them away again.
*/}}
{{- define "pellicule.prepare" }}
{{- $role := include "pellicule.role" (merge (dict "role" "prepare") .) | fromJson }}
{{- $it := merge (dict "role" "prepare" "suffix" "prepare" "roles" (list "prepare") "values" $role "lasts" false) . }}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ include "pellicule.name" $it }}
  labels:
    {{- include "pellicule.labels" $it | nindent 4 }}
  annotations:
    helm.sh/hook: pre-install,pre-upgrade
    helm.sh/hook-weight: "0"
    helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
spec:
  {{- include "pellicule.prepareJob" (merge (dict "account" (include "pellicule.prepareAccount" .)) $it) | nindent 2 }}
{{- if and .own.buckets $role.schedule }}
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "pellicule.name" $it }}
  labels:
    {{- include "pellicule.labels" $it | nindent 4 }}
spec:
  schedule: {{ $role.schedule | quote }}
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: 3600
  successfulJobsHistoryLimit: 1
  failedJobsHistoryLimit: 1
  jobTemplate:
    spec:
      {{- include "pellicule.prepareJob" $it | nindent 6 }}
{{- end }}
{{- end }}

{{- define "pellicule.prepareAccount" -}}
{{ include "pellicule.name" (dict "root" .root "name" "prepare") }}
{{- end }}

{{- define "pellicule.prepareJob" -}}
backoffLimit: {{ .values.backoffLimit }}
activeDeadlineSeconds: {{ .values.deadlineSeconds }}
ttlSecondsAfterFinished: {{ .values.keptSeconds }}
template:
  metadata:
    labels:
      {{- include "pellicule.podLabels" . | nindent 6 }}
  spec:
    restartPolicy: Never
    {{- with .values.priorityClassName }}
    priorityClassName: {{ . }}
    {{- end }}
    {{- include "pellicule.placement" . | indent 4 }}
    {{- include "pellicule.pod" . | nindent 4 }}
{{- end }}

{{/* Once for all services: who the Jobs are, and what they may reach, even where a policy allows nothing. */}}
{{- define "pellicule.prepareBeforehand" }}
{{- $it := dict "root" . "name" "prepare" "suffix" "" }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "pellicule.name" $it }}
  labels:
    {{- include "pellicule.labels" $it | nindent 4 }}
  annotations:
    {{- include "pellicule.beforehand" . | nindent 4 }}
automountServiceAccountToken: false
{{- if .Values.networkPolicy.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "pellicule.name" $it }}
  labels:
    {{- include "pellicule.labels" $it | nindent 4 }}
  annotations:
    {{- include "pellicule.beforehand" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      app.kubernetes.io/part-of: pellicule
      app.kubernetes.io/instance: {{ .Release.Name }}
      app.kubernetes.io/component: prepare
  policyTypes: [Ingress, Egress]
  egress:
    {{- include "pellicule.toDns" . | nindent 4 }}
    {{- include "pellicule.toServer" (list .Values.database.egress) | nindent 4 }}
    {{- include "pellicule.toServer" (list .Values.nats.egress) | nindent 4 }}
    {{- include "pellicule.toServer" (list .Values.objectStore.egress .Values.objectStore.endpoint) | nindent 4 }}
{{- end }}
{{- end }}

{{- define "pellicule.beforehand" -}}
helm.sh/hook: pre-install,pre-upgrade
helm.sh/hook-weight: "-10"
helm.sh/hook-delete-policy: before-hook-creation,hook-succeeded
{{- end }}
