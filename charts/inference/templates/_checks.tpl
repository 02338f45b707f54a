{{/* What no schema can say: values that need, or exclude, each other. Each message names the value and the remedy. */}}
{{- define "inference.check" -}}
{{- if gt (len .Release.Name) 30 }}
{{- fail (printf "release name %s: longer than 30 characters, and names made of it would be cut; choose a shorter one" .Release.Name) }}
{{- end }}
{{- if and .Values.models.repository .Values.models.claim.name }}
{{- fail "models.repository: excludes models.claim.name; set one of them" }}
{{- else if not (or .Values.models.repository .Values.models.claim.name) }}
{{- fail "models.repository: nothing to serve; set it to the name that `pellicule models publish` said, or set models.claim.name" }}
{{- end }}
{{- if not (or .Values.tls.issuer.name .Values.tls.existingSecret) }}
{{- fail "tls.existingSecret: nobody makes the servers' certificate; set it, or tls.issuer.name" }}
{{- end }}
{{- if and .Values.engines.enabled (not .Values.engines.networks) }}
{{- fail "engines.networks: what engines are built of is not named; set it to a repository that `pellicule models publish` said" }}
{{- end }}
{{- if and .Values.engines.enabled (ne .Values.processor "gpu") }}
{{- fail "engines.enabled: engines are for graphics cards; set processor to gpu" }}
{{- end }}
{{- if and (eq (int .Values.server.replicas) 0) (eq .Values.mode "kserve") }}
{{- fail "server.replicas: KServe takes none for as many as it likes; set one at least, or mode to deployment" }}
{{- end }}
{{- with .Values.autoscaling }}
{{- if and .enabled (not .prometheus) }}
{{- fail "autoscaling.enabled: needs autoscaling.prometheus, where KEDA asks how much waits" }}
{{- end }}
{{- if lt (int .maxReplicas) (int .minReplicas) }}
{{- fail "autoscaling.maxReplicas: is less than autoscaling.minReplicas" }}
{{- end }}
{{- end }}
{{- if and .Values.kserve.canary (ne .Values.mode "kserve") }}
{{- fail "kserve.canary: means nothing in mode deployment; set mode to kserve, or roll out a second release of this chart" }}
{{- end }}
{{- end }}
