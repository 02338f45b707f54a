{{/*
Values that are gone, by where they stood, and what took their place. The schema still knows them, so that this is said
instead of that they are unknown. UPGRADING.md has a row for each.
*/}}
{{- define "pellicule.removedValues" -}}
replicaCount: server.replicas, upkeep.replicas and worker.replicas
imagePullSecrets: image.pullSecrets
{{- end }}

{{- define "pellicule.refuseRemoved" -}}
{{- range $path, $instead := include "pellicule.removedValues" . | fromYaml }}
{{- if hasKey $.Values $path }}
{{- fail (printf "%s: was removed; set %s (charts/pellicule/UPGRADING.md, \"Removed values\")" $path $instead) }}
{{- end }}
{{- end }}
{{- end }}
