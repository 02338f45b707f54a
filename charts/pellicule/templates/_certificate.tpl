{{/*
Certificate of a service: the names of its addresses, its own name, which callers check, and its identity, by which
others let it call. Processes take a renewed one without a restart.
*/}}
{{- define "pellicule.certificate" }}
{{- $root := .root }}
{{- if not .given.certificate.existingSecret }}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata:
  name: {{ include "pellicule.name" . }}
  labels:
    {{- include "pellicule.labels" . | nindent 4 }}
spec:
  secretName: {{ include "pellicule.certificateSecret" . }}
  commonName: {{ .name }}
  dnsNames:
    - {{ .name }}
    {{- range $suffix := list "" "headless" "internal" }}
    {{- $host := include "pellicule.name" (dict "root" $root "name" $.name "suffix" $suffix) }}
    - {{ $host }}
    - {{ printf "%s.%s" $host $root.Release.Namespace }}
    - {{ printf "%s.%s.svc" $host $root.Release.Namespace }}
    - {{ printf "%s.%s.svc.%s" $host $root.Release.Namespace $root.Values.clusterDomain }}
    {{- end }}
    {{- range .given.certificate.dnsNames }}
    - {{ . | quote }}
    {{- end }}
  uris:
    - {{ printf "spiffe://pellicule/%s" .name }}
  usages: [digital signature, key encipherment, server auth, client auth]
  duration: {{ .root.Values.certificates.duration }}
  renewBefore: {{ .root.Values.certificates.renewBefore }}
  privateKey:
    algorithm: ECDSA
    size: 256
    rotationPolicy: Always
  issuerRef:
    {{- toYaml .root.Values.certificates.issuer | nindent 4 }}
{{- end }}
{{- end }}

{{- define "pellicule.certificateSecret" -}}
{{- .given.certificate.existingSecret | default (printf "%s-tls" (include "pellicule.name" (dict "root" .root "name" .name))) }}
{{- end }}
