{{/*
Environment of a container: what the chart knows as plain values, secrets by reference. Every name is a setting of the
service (docs/operations.md).
*/}}
{{- define "pellicule.environment" -}}
{{- $values := .root.Values }}
{{- $secret := .given.existingSecret }}
{{- $key := $values.secrets.keys }}
{{- $inKnative := and .knative (eq .role "server") }}
- {name: PELLICULE_ROLES, value: {{ join "," .roles | quote }}}
{{- if has "public" .roles }}
- {name: PELLICULE_PUBLIC_ADDRESS, value: {{ ternary "0.0.0.0:8080" "0.0.0.0:8443" $inKnative | quote }}}
{{- end }}
{{- if has "internal" .roles }}
- {name: PELLICULE_INTERNAL_ADDRESS, value: "0.0.0.0:9443"}
{{- end }}
- {name: PELLICULE_HEALTH_ADDRESS, value: "0.0.0.0:8081"}
{{- if $inKnative }}
- {name: PELLICULE_PUBLIC_TLS, value: "false"}
{{- end }}
- {name: PELLICULE_TLS_CA_FILE, value: /etc/pellicule/tls/ca.crt}
- {name: PELLICULE_TLS_CERT_FILE, value: /etc/pellicule/tls/tls.crt}
- {name: PELLICULE_TLS_KEY_FILE, value: /etc/pellicule/tls/tls.key}
{{- if .lasts }}
- {name: PELLICULE_DRAIN_SECONDS, value: {{ .values.drainSeconds | quote }}}
- {name: PELLICULE_STOP_GRACE_SECONDS, value: {{ .values.stopSeconds | quote }}}
{{- end }}
- {name: PELLICULE_LOG_LEVEL, value: {{ $values.logLevel }}}
{{- if include "pellicule.serves" . }}
{{- include "pellicule.tokenEnvironment" $values.tokens }}
- {name: PELLICULE_SUBJECT_KEY_FILE, value: /etc/pellicule/subject/subject.key}
{{- end }}
{{- include "pellicule.secretVariable" (list "PELLICULE_DATABASE_URL" $secret $key.databaseUrl) }}
{{- include "pellicule.secretVariable" (list "PELLICULE_NATS_URL" $secret $key.natsUrl) }}
{{- include "pellicule.authorityVariable" (list "PELLICULE_NATS_CA_FILE" "nats" $values.nats.ca) }}
- {name: PELLICULE_NATS_REPLICAS, value: {{ $values.nats.replicas | quote }}}
{{- if .own.stores }}
- {name: PELLICULE_S3_ENDPOINT, value: {{ $values.objectStore.endpoint | quote }}}
- {name: PELLICULE_S3_REGION, value: {{ $values.objectStore.region | quote }}}
{{- include "pellicule.secretVariable" (list "PELLICULE_S3_ACCESS_KEY" $secret $key.s3AccessKey) }}
{{- include "pellicule.secretVariable" (list "PELLICULE_S3_SECRET_KEY" $secret $key.s3SecretKey) }}
{{- end }}
- {name: PELLICULE_JOURNAL_BUCKET, value: {{ $values.journal.bucket | quote }}}
- {name: PELLICULE_JOURNAL_S3_ENDPOINT, value: {{ $values.journal.endpoint | quote }}}
- {name: PELLICULE_JOURNAL_S3_REGION, value: {{ $values.journal.region | quote }}}
{{- include "pellicule.authorityVariable" (list "PELLICULE_S3_CA_FILE" "object-store" $values.objectStore.ca) }}
{{- include "pellicule.secretVariable" (list "PELLICULE_JOURNAL_S3_ACCESS_KEY" $secret $key.journalAccessKey) }}
{{- include "pellicule.secretVariable" (list "PELLICULE_JOURNAL_S3_SECRET_KEY" $secret $key.journalSecretKey) }}
{{- range .own.calls }}
- {name: {{ printf "PELLICULE_%s_TARGET" (upper .) }}, value: {{ printf "%s:9443" (include "pellicule.internalHost" (dict "root" $.root "name" .)) | quote }}}
{{- end }}
{{- if .own.infers }}
- {name: PELLICULE_TRITON_ADDRESS, value: {{ $values.triton.address | quote }}}
{{- include "pellicule.authorityVariable" (list "PELLICULE_TRITON_CA_FILE" "triton" $values.triton.ca) }}
{{- end }}
{{- with $values.telemetry }}
{{- if and .endpoint $.lasts }}
- {name: PELLICULE_OTLP_ENDPOINT, value: {{ .endpoint | quote }}}
- {name: PELLICULE_TRACE_RATIO, value: {{ .traceRatio | quote }}}
{{- include "pellicule.authorityVariable" (list "PELLICULE_OTLP_CA_FILE" "collector" .ca) }}
{{- include "pellicule.podAttributes" $ }}
{{- end }}
{{- end }}
{{- range $file, $setting := .own.keys }}
- {name: {{ $setting }}, value: {{ printf "/etc/pellicule/keys/%s" $file }}}
{{- end }}
{{- with .own.environment }}
{{ toYaml . }}
{{- end }}
{{- /* JSON writes a large number as it was given; YAML would say 1.073741824e+10. */}}
{{- range $name, $value := .given.settings }}
- {name: {{ $name }}, value: {{ kindIs "string" $value | ternary $value (toJson $value) | quote }}}
{{- end }}
{{- end }}

{{/* Whether it answers calls: it alone learns who calls. */}}
{{- define "pellicule.serves" -}}
{{- if or (has "public" .roles) (has "internal" .roles) }}true{{ end }}
{{- end }}

{{- define "pellicule.tokenEnvironment" }}
- {name: PELLICULE_TOKEN_ISSUER, value: {{ .issuer | quote }}}
- {name: PELLICULE_TOKEN_AUDIENCE, value: {{ .audience | quote }}}
{{- if .jwksUrl }}
- {name: PELLICULE_TOKEN_JWKS_URL, value: {{ .jwksUrl | quote }}}
{{- if or .ca.configMap .ca.secret }}
- {name: PELLICULE_TOKEN_JWKS_CA_FILE, value: /etc/pellicule/authorities/issuer.crt}
{{- end }}
{{- else }}
- {name: PELLICULE_TOKEN_JWKS_FILE, value: /etc/pellicule/issuer/jwks.json}
{{- end }}
{{- end }}

{{/* What a collector is told of the pod; Knative lets no variable name it. */}}
{{- define "pellicule.podAttributes" }}
{{- $namespace := printf "k8s.namespace.name=%s" .root.Release.Namespace }}
{{- if and .knative (eq .role "server") }}
- {name: OTEL_RESOURCE_ATTRIBUTES, value: {{ $namespace | quote }}}
{{- else }}
- {name: POD_NAME, valueFrom: {fieldRef: {fieldPath: metadata.name}}}
- {name: OTEL_RESOURCE_ATTRIBUTES, value: {{ printf "%s,k8s.pod.name=$(POD_NAME)" $namespace | quote }}}
{{- end }}
{{- end }}

{{- define "pellicule.secretVariable" }}
- name: {{ index . 0 }}
  valueFrom:
    secretKeyRef:
      name: {{ index . 1 }}
      key: {{ index . 2 }}
{{- end }}

{{- define "pellicule.authorityVariable" }}
{{- $ca := index . 2 }}
{{- if or $ca.configMap $ca.secret }}
- {name: {{ index . 0 }}, value: {{ printf "/etc/pellicule/authorities/%s.crt" (index . 1) }}}
{{- end }}
{{- end }}
