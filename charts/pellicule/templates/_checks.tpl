{{/* What no schema can say: values that need, or exclude, each other. Each message names the value and the remedy. */}}
{{- define "pellicule.check" -}}
{{- if gt (len .Release.Name) 30 }}
{{- fail (printf "release name %s: longer than 30 characters, and names made of it would be cut; choose a shorter one" .Release.Name) }}
{{- end }}
{{- include "pellicule.checkTokens" .Values.tokens }}
{{- include "pellicule.checkEpochs" .Values.epochs }}
{{- if and .Values.edge.enabled (not (and .Values.edge.hostnames .Values.edge.parentRefs)) }}
{{- fail "edge.enabled: needs edge.hostnames and edge.parentRefs, the gateway that it hangs on" }}
{{- end }}
{{- range $name, $given := .Values.services }}
{{- include "pellicule.checkService" (dict "root" $ "name" $name "given" $given) }}
{{- end }}
{{- end }}

{{- define "pellicule.checkTokens" -}}
{{- $file := or .jwks.configMap .jwks.secret }}
{{- if and .jwksUrl $file }}
{{- fail "tokens.jwksUrl: excludes tokens.jwks; set one of them" }}
{{- else if not (or .jwksUrl $file) }}
{{- fail "tokens: whose tokens are taken is not set; set tokens.jwksUrl, or tokens.jwks.configMap" }}
{{- end }}
{{- end }}

{{- define "pellicule.checkEpochs" -}}
{{- if eq .store "transit" }}
{{- if not .transit.url }}
{{- fail "epochs.transit.url: where the engine is, is not set; set it, or epochs.store to kubernetes-secret" }}
{{- else if eq (empty .transit.role) (empty .transit.token.secret) }}
{{- fail "epochs.transit.role: set it, or epochs.transit.token.secret, and not both" }}
{{- end }}
{{- end }}
{{- end }}

{{- define "pellicule.checkService" -}}
{{- if and (not .root.Values.certificates.issuer.name) (not .given.certificate.existingSecret) }}
{{- fail (printf "services.%s.certificate.existingSecret: it has no certificate; set it, or certificates.issuer.name" .name) }}
{{- end }}
{{- if and (dig "worker" "keda" "enabled" .root.Values.worker.keda.enabled .given) (not .root.Values.nats.monitoring.endpoint) }}
{{- fail "worker.keda.enabled: needs nats.monitoring.endpoint, where KEDA asks how much waits" }}
{{- end }}
{{- $own := include (printf "pellicule.%s" .name) .root | fromYaml }}
{{- if hasKey $own "Error" }}
{{- fail (printf "template pellicule.%s: %s" .name $own.Error) }}
{{- end }}
{{- end }}
