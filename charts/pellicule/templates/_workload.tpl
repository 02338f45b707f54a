{{/* A role of a service as a Deployment. */}}
{{- define "pellicule.deployment" }}
{{- $role := include "pellicule.role" . | fromJson }}
{{- $pod := merge (dict "values" $role "lasts" true) . }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "pellicule.name" . }}
  labels:
    {{- include "pellicule.labels" . | nindent 4 }}
spec:
  {{- /* Who scales it says how many: a number here would be set again at each upgrade. */}}
  {{- if not (or (dig "autoscaling" "enabled" false $role) (dig "keda" "enabled" false $role)) }}
  replicas: {{ $role.replicas }}
  {{- end }}
  revisionHistoryLimit: 5
  selector:
    matchLabels:
      {{- include "pellicule.selector" . | nindent 6 }}
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  template:
    metadata:
      labels:
        {{- include "pellicule.podLabels" . | nindent 8 }}
      {{- with .root.Values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      {{- include "pellicule.podOfDeployment" $pod | nindent 6 }}
{{- end }}

{{/* What a Deployment's pod has and Knative's may not. */}}
{{- define "pellicule.podOfDeployment" -}}
terminationGracePeriodSeconds: {{ include "pellicule.graceSeconds" . }}
{{- with .values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- include "pellicule.placement" . }}
{{- with .root.Values.topologySpread }}
topologySpreadConstraints:
  {{- range .topologyKeys }}
  - topologyKey: {{ . }}
    maxSkew: 1
    whenUnsatisfiable: {{ $.root.Values.topologySpread.whenUnsatisfiable }}
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels:
        {{- include "pellicule.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}
{{- /* Who may read the keys that are mounted. */}}
securityContext:
  fsGroup: 65532
{{ include "pellicule.pod" . }}
{{- end }}

{{/* The time that a pod gets to stop: longer than it needs to be left alone, finish its calls or its job, and close. */}}
{{- define "pellicule.graceSeconds" -}}
{{- add .values.drainSeconds .values.stopSeconds 10 }}
{{- end }}

{{- define "pellicule.placement" }}
{{- with .values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* What every pod has, Knative's and those of Jobs as well. */}}
{{- define "pellicule.pod" -}}
serviceAccountName: {{ .account | default (include "pellicule.name" (dict "root" .root "name" .name)) }}
automountServiceAccountToken: false
{{- /* The addresses of a release's Services would come as variables that begin like its settings. */}}
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
containers:
  - {{ include "pellicule.container" . | indent 4 | trim }}
volumes:
  {{- include "pellicule.volumes" . | nindent 2 }}
{{- end }}

{{- define "pellicule.container" -}}
name: {{ .name }}
image: {{ include "pellicule.image" . }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
args: [{{ printf "services.%s" .name }}]
env:
  {{- include "pellicule.environment" . | nindent 2 }}
{{- if .lasts }}
ports:
  {{- include "pellicule.ports" . | nindent 2 }}
{{- include "pellicule.probes" . }}
{{- end }}
resources:
  {{- toYaml .values.resources | nindent 2 }}
{{ include "pellicule.confinement" . }}
volumeMounts:
  {{- include "pellicule.mounts" . | nindent 2 }}
{{- end }}

{{/*
PodSecurity "restricted", on the container: Knative takes none of the pod's. There the keys that are mounted belong to
root's group, in which nothing else is; elsewhere to the group that the pod names.
*/}}
{{- define "pellicule.confinement" -}}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: {{ ternary 0 65532 (and (.knative | default false) (eq (.role | default "") "server")) }}
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* Knative takes one port, by the name of its protocol; health is asked there as well. */}}
{{- define "pellicule.ports" -}}
{{- if and .knative (eq .role "server") -}}
- name: h2c
  containerPort: 8080
{{- else -}}
{{- if has "public" .roles -}}
- name: grpc
  containerPort: 8443
{{ end }}
{{- if has "internal" .roles -}}
- name: internal
  containerPort: 9443
{{ end -}}
- name: health
  containerPort: 8081
{{- end }}
{{- end }}

{{/*
A process that waits for its database is alive: only readiness asks whether it serves. A start may wait 5 minutes for the
migrations of a large database, and then says itself what it waited for.
*/}}
{{- define "pellicule.probes" }}
{{- $port := ternary 8080 8081 (and .knative (eq .role "server")) }}
startupProbe:
  grpc:
    port: {{ $port }}
    service: liveness
  periodSeconds: 2
  timeoutSeconds: 3
  failureThreshold: 180
readinessProbe:
  grpc:
    port: {{ $port }}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
livenessProbe:
  grpc:
    port: {{ $port }}
    service: liveness
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 6
{{- end }}
