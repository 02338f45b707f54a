{{/*
Volumes: certificates, keys, the authorities of servers, and room for what is written. A Job that prepares gets neither
certificates nor keys: before the first installation there are no certificates yet.
*/}}
{{- define "pellicule.volumes" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .root.Values.temporaryFiles.sizeLimit }}
{{- with include "pellicule.authorities" . | fromYamlArray }}
- name: authorities
  projected:
    sources:
      {{- toYaml . | nindent 6 }}
{{- end }}
{{- if .lasts }}
- name: tls
  secret:
    secretName: {{ include "pellicule.certificateSecret" . }}
{{- if .own.keys }}
- name: keys
  secret:
    secretName: {{ .given.existingSecret }}
    {{- /* 0440: for the pod's group alone, or the service refuses them. */}}
    defaultMode: 288
    items:
      {{- range $file := keys .own.keys | sortAlpha }}
      - {key: {{ $file }}, path: {{ $file }}}
      {{- end }}
{{- end }}
{{- if include "pellicule.serves" . }}
- name: subject
  secret:
    secretName: {{ .root.Values.secrets.shared }}
    items:
      - {key: subject.key, path: subject.key}
{{- if not .root.Values.tokens.jwksUrl }}
- name: issuer
  projected:
    sources:
      {{- include "pellicule.projection" (list .root.Values.tokens.jwks "jwks.json") | nindent 6 }}
{{- end }}
{{- end }}
{{- with .own.token }}
- name: token
  projected:
    sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3600
          {{- with .audience }}
          audience: {{ . }}
          {{- end }}
      {{- if not .audience }}
      - configMap:
          name: kube-root-ca.crt
          items:
            - {key: ca.crt, path: ca.crt}
      {{- end }}
{{- end }}
{{- with .own.transitToken }}
- name: transit
  secret:
    secretName: {{ .secret }}
    items:
      - {key: {{ .key }}, path: token}
{{- end }}
{{- end }}
{{- end }}

{{- define "pellicule.mounts" -}}
- {name: tmp, mountPath: /tmp}
{{- if include "pellicule.authorities" . | fromYamlArray }}
- {name: authorities, mountPath: /etc/pellicule/authorities, readOnly: true}
{{- end }}
{{- if .lasts }}
- {name: tls, mountPath: /etc/pellicule/tls, readOnly: true}
{{- if .own.keys }}
- {name: keys, mountPath: /etc/pellicule/keys, readOnly: true}
{{- end }}
{{- if include "pellicule.serves" . }}
- {name: subject, mountPath: /etc/pellicule/subject, readOnly: true}
{{- if not .root.Values.tokens.jwksUrl }}
- {name: issuer, mountPath: /etc/pellicule/issuer, readOnly: true}
{{- end }}
{{- end }}
{{- if .own.token }}
- {name: token, mountPath: /var/run/secrets/kubernetes.io/serviceaccount, readOnly: true}
{{- end }}
{{- if .own.transitToken }}
- {name: transit, mountPath: /etc/pellicule/transit, readOnly: true}
{{- end }}
{{- end }}
{{- end }}

{{/* What a service checks each of its servers against; nothing for those whose authorities are public. */}}
{{- define "pellicule.authorities" -}}
{{- $values := .root.Values }}
{{- include "pellicule.projection" (list $values.database.ca "database.crt") }}
{{- include "pellicule.projection" (list $values.nats.ca "nats.crt") }}
{{- include "pellicule.projection" (list $values.objectStore.ca "object-store.crt") }}
{{- if include "pellicule.serves" . }}
{{- include "pellicule.projection" (list $values.tokens.ca "issuer.crt") }}
{{- end }}
{{- if .lasts }}
{{- include "pellicule.projection" (list $values.telemetry.ca "collector.crt") }}
{{- end }}
{{- if and .lasts .own.infers }}
{{- include "pellicule.projection" (list $values.triton.ca "triton.crt") }}
{{- end }}
{{- if .lasts }}
{{- with .own.authorities }}
{{ . | trim }}
{{- end }}
{{- end }}
{{- end }}

{{- define "pellicule.projection" }}
{{- $source := index . 0 }}
{{- if or $source.configMap $source.secret }}
- {{ ternary "configMap" "secret" (not (empty $source.configMap)) }}:
    name: {{ $source.configMap | default $source.secret }}
    items:
      - {key: {{ $source.key }}, path: {{ index . 1 }}}
{{- end }}
{{- end }}
