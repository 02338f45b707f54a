{{/*
Everything of one service. What is special about it is the template "pellicule.SERVICE" in its own file:
  calls     services whose internal listener it calls
  grpc      its public gRPC services, for the edge
  stores    has an identity at the object store
  buckets   owns buckets whose lifecycle rules are looked at every night
  infers    calls Triton
  worker    has work that the bus drives
  gates     everything asks it: where Knative runs it, one replica stays
  keys      files in its Secret, and the settings that name them
  environment, authorities, egress, token, transitToken      what it has besides
*/}}
{{- define "pellicule.service" -}}
{{- $own := include (printf "pellicule.%s" .name) .root | fromYaml }}
{{- $given := index .root.Values.services .name }}
{{- $knative := eq $given.mode "knative" }}
{{- $apart := or $knative (dig "upkeep" "apart" .root.Values.upkeep.apart $given) }}
{{- $it := dict "root" .root "name" .name "own" $own "given" $given "knative" $knative "apart" $apart "suffix" "" }}
{{- include "pellicule.identity" $it }}
{{- include "pellicule.certificate" $it }}
{{- include "pellicule.prepare" $it }}
{{- include "pellicule.server" $it }}
{{- if $apart }}
{{- include "pellicule.upkeep" $it }}
{{- end }}
{{- if and $apart $own.worker }}
{{- include "pellicule.worker" $it }}
{{- end }}
{{- include "pellicule.listeners" $it }}
{{- include "pellicule.policies" $it }}
{{- end }}

{{/* Who its pods are. None gets a token by itself. */}}
{{- define "pellicule.identity" }}
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "pellicule.name" . }}
  labels:
    {{- include "pellicule.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end }}

{{- define "pellicule.server" }}
{{- $it := merge (dict "role" "server") . }}
{{- $roles := list "public" "internal" }}
{{- if not .apart }}
{{- $roles = concat $roles (list "upkeep") (ternary (list "worker") list (.own.worker | default false)) }}
{{- end }}
{{- if .knative }}
{{- include "pellicule.knative" (merge (dict "roles" (list "public") "suffix" "public") $it) }}
{{- else }}
{{- $it = merge (dict "roles" $roles) $it }}
{{- include "pellicule.deployment" $it }}
{{- include "pellicule.budget" $it }}
{{- include "pellicule.autoscaler" $it }}
{{- end }}
{{- end }}

{{- define "pellicule.upkeep" }}
{{- $roles := ternary (list "internal" "upkeep") (list "upkeep") .knative }}
{{- $it := merge (dict "role" "upkeep" "suffix" "upkeep" "roles" $roles) . }}
{{- include "pellicule.deployment" $it }}
{{- include "pellicule.budget" $it }}
{{- end }}

{{- define "pellicule.worker" }}
{{- $it := merge (dict "role" "worker" "suffix" "worker" "roles" (list "worker")) . }}
{{- include "pellicule.deployment" $it }}
{{- include "pellicule.budget" $it }}
{{- include "pellicule.lagScaler" $it }}
{{- end }}

{{/*
Its addresses. The internal one has no address of its own: callers see every pod and take turns. So has the second
public one, for clients inside the cluster that hold their connections for long.
*/}}
{{- define "pellicule.listeners" }}
{{- $server := merge (dict "role" "server") . }}
{{- if not .knative }}
{{- include "pellicule.listener" (merge (dict "port" 443 "target" "grpc") $server) }}
{{- include "pellicule.listener" (merge (dict "port" 8443 "target" "grpc" "suffix" "headless") $server) }}
{{- end }}
{{- $internal := ternary "upkeep" "server" .knative }}
{{- include "pellicule.listener" (merge (dict "port" 9443 "target" "internal" "suffix" "internal" "role" $internal) .) }}
{{- end }}

{{- define "pellicule.listener" }}
---
apiVersion: v1
kind: Service
metadata:
  name: {{ include "pellicule.name" . }}
  labels:
    {{- include "pellicule.labels" (omit . "role") | nindent 4 }}
spec:
  {{- if .suffix }}
  clusterIP: None
  {{- end }}
  {{- if eq (default "" .suffix) "internal" }}
  # Services know each other before they are ready: a name without an address is asked for again ever more seldom.
  publishNotReadyAddresses: true
  {{- end }}
  selector:
    {{- include "pellicule.selector" . | nindent 4 }}
  ports:
    - name: {{ .target }}
      port: {{ .port }}
      targetPort: {{ .target }}
{{- end }}
