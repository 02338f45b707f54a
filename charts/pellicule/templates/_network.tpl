{{/*
Network policies of a service: who may come in at each port, one policy for each pair of a caller and a callee, and what
it may reach. Everything else is refused by the policy of the release that allows nothing (network.yaml).
*/}}
{{- define "pellicule.policies" }}
{{- if .root.Values.networkPolicy.enabled }}
{{- include "pellicule.letPersonsIn" . }}
{{- range .own.calls }}
{{- include "pellicule.letCallerIn" (merge (dict "caller" $.name "callee" .) $) }}
{{- end }}
{{- include "pellicule.letOut" . }}
{{- end }}
{{- end }}

{{- define "pellicule.letPersonsIn" }}
{{- $it := merge (dict "role" "server" "suffix" "public") . }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "pellicule.name" $it }}
  labels:
    {{- include "pellicule.labels" $it | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "pellicule.selector" $it | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    - ports:
        {{- if .knative }}
        {{- /* Of Knative's proxy in the pod, through which everything comes: calls, probes and metrics. */}}
        {{- range list 8012 8013 8022 9090 9091 }}
        - {protocol: TCP, port: {{ . }}}
        {{- end }}
        {{- else }}
        - {protocol: TCP, port: 8443}
        {{- end }}
      {{- with ternary .root.Values.knative.from .root.Values.networkPolicy.publicFrom .knative }}
      from:
        {{- toYaml . | nindent 8 }}
        {{- if include "pellicule.smokes" $.root }}
        - podSelector:
            matchLabels:
              {{- include "pellicule.selector" (dict "root" $.root "name" "smoke") | nindent 14 }}
        {{- end }}
      {{- end }}
{{- end }}

{{- define "pellicule.letCallerIn" }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ printf "%s-%s-calls-%s" .root.Release.Name .caller .callee }}
  labels:
    {{- include "pellicule.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "pellicule.selector" (dict "root" .root "name" .callee) | nindent 6 }}
  policyTypes: [Ingress]
  ingress:
    - ports:
        - {protocol: TCP, port: 9443}
      from:
        - podSelector:
            matchLabels:
              {{- include "pellicule.selector" (dict "root" .root "name" .caller) | nindent 14 }}
{{- end }}

{{- define "pellicule.letOut" }}
{{- $values := .root.Values }}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ include "pellicule.name" (merge (dict "suffix" "egress") .) }}
  labels:
    {{- include "pellicule.labels" . | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- include "pellicule.selector" . | nindent 6 }}
  policyTypes: [Egress]
  egress:
    {{- include "pellicule.toDns" .root | nindent 4 }}
    {{- range .own.calls }}
    - ports:
        - {protocol: TCP, port: 9443}
      to:
        - podSelector:
            matchLabels:
              {{- include "pellicule.selector" (dict "root" $.root "name" .) | nindent 14 }}
    {{- end }}
    {{- include "pellicule.toServer" (list $values.database.egress) | nindent 4 }}
    {{- include "pellicule.toServer" (list $values.nats.egress) | nindent 4 }}
    {{- include "pellicule.toServer" (list $values.journal.egress $values.journal.endpoint) | nindent 4 }}
    {{- if .own.stores }}
    {{- include "pellicule.toServer" (list $values.objectStore.egress $values.objectStore.endpoint) | nindent 4 }}
    {{- end }}
    {{- if .own.infers }}
    {{- include "pellicule.toServer" (list $values.triton.egress $values.triton.address) | nindent 4 }}
    {{- end }}
    {{- if $values.telemetry.endpoint }}
    {{- include "pellicule.toServer" (list $values.telemetry.egress $values.telemetry.endpoint) | nindent 4 }}
    {{- end }}
    {{- if $values.tokens.jwksUrl }}
    {{- include "pellicule.toServer" (list $values.tokens.egress $values.tokens.jwksUrl) | nindent 4 }}
    {{- end }}
    {{- with .own.egress }}
    {{- . | nindent 4 }}
    {{- end }}
{{- end }}

{{- define "pellicule.toDns" -}}
- ports:
    {{- range .Values.networkPolicy.dns.ports }}
    - {protocol: UDP, port: {{ . }}}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
  {{- with .Values.networkPolicy.dns.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{/* To one of the servers beneath: its ports as given, or as its address has them. Ports are the pods', not the Service's. */}}
{{- define "pellicule.toServer" -}}
{{- $egress := first . }}
- ports:
    {{- range $egress.ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- else }}
    - {protocol: TCP, port: {{ include "pellicule.portOf" (last $) }}}
    {{- end }}
  {{- with $egress.to }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}

{{- define "pellicule.portOf" -}}
{{- $port := regexFind ":[0-9]+" (regexReplaceAll "/.*" (regexReplaceAll "^[a-z]+://" . "") "") | trimPrefix ":" }}
{{- $port | default (hasPrefix "http://" . | ternary "80" "443") }}
{{- end }}
