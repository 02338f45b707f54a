{{/* What pods have in common, whatever makes them. */}}

{{/* PodSecurity "restricted", on the container. */}}
{{- define "inference.confinement" -}}
securityContext:
  allowPrivilegeEscalation: false
  capabilities:
    drop: [ALL]
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* Of a pod of this release. */}}
{{- define "inference.podBase" -}}
serviceAccountName: {{ include "inference.name" . }}
automountServiceAccountToken: false
{{- /* The addresses of a release's Services would come as variables that begin like settings. */}}
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{/* Where its pods go: on nodes with the card that the engines were built on. */}}
{{- define "inference.placement" }}
{{- with .Values.server.runtimeClassName }}
runtimeClassName: {{ . }}
{{- end }}
{{- with .Values.server.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- include "inference.tolerations" . }}
{{- end }}

{{- define "inference.tolerations" }}
{{- $cards := ternary (list (dict "key" .Values.server.gpuResource "operator" "Exists" "effect" "NoSchedule")) list (eq .Values.processor "gpu") }}
{{- with concat .Values.server.tolerations $cards }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{/* Given resources, and cards where models are on them: those are asked for by their limit. */}}
{{- define "inference.resources" -}}
{{- $resources := deepCopy .given }}
{{- if .cards }}
{{- $limits := merge (dict .root.Values.server.gpuResource (toString .cards)) ($resources.limits | default dict) }}
{{- $_ := set $resources "limits" $limits }}
{{- end }}
{{- toYaml $resources }}
{{- end }}

{{/* The way to the buckets, as one of the identities there. */}}
{{- define "inference.bucketEnvironment" -}}
{{- $bucket := .root.Values.bucket }}
- {name: PELLICULE_S3_ENDPOINT, value: {{ $bucket.endpoint | quote }}}
- {name: PELLICULE_S3_REGION, value: {{ $bucket.region | quote }}}
{{- if or $bucket.ca.configMap $bucket.ca.secret }}
- {name: PELLICULE_S3_CA_FILE, value: /etc/pellicule/authorities/object-store.crt}
{{- end }}
- {name: PELLICULE_MODELS_BUCKET, value: {{ $bucket.name | quote }}}
- name: PELLICULE_S3_ACCESS_KEY
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ $bucket.keys.accessKey }}}}
- name: PELLICULE_S3_SECRET_KEY
  valueFrom: {secretKeyRef: {name: {{ .secret }}, key: {{ $bucket.keys.secretKey }}}}
{{- end }}

{{- define "inference.bucketMounts" }}
{{- with .Values.bucket.ca }}
{{- if or .configMap .secret }}
- {name: authorities, mountPath: /etc/pellicule/authorities, readOnly: true}
{{- end }}
{{- end }}
{{- end }}

{{- define "inference.bucketVolumes" }}
{{- with .Values.bucket.ca }}
{{- if or .configMap .secret }}
- name: authorities
  projected:
    sources:
      - {{ ternary "configMap" "secret" (not (empty .configMap)) }}:
          name: {{ .configMap | default .secret }}
          items:
            - {key: {{ .key }}, path: object-store.crt}
{{- end }}
{{- end }}
{{- end }}

{{/* A container of the services' image that has a published repository lie in a folder. */}}
{{- define "inference.fetch" -}}
name: fetch
image: {{ include "inference.image" (list .root.Values.tools.image .root) }}
imagePullPolicy: {{ .root.Values.tools.image.pullPolicy }}
args: [inference.publishing, {{ .repository | quote }}, {{ .folder | quote }}]
env:
  {{- include "inference.bucketEnvironment" . | nindent 2 }}
resources:
  requests: {cpu: 100m, memory: 128Mi}
  limits: {memory: 512Mi}
{{ include "inference.confinement" . }}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  - {name: {{ .volume }}, mountPath: {{ .folder }}}
  {{- include "inference.bucketMounts" .root | nindent 2 }}
{{- end }}

{{- define "inference.temporary" -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.temporaryFiles.sizeLimit }}
{{- end }}

{{- define "inference.certificates" -}}
- name: tls
  secret:
    secretName: {{ include "inference.tlsSecret" . }}
{{- end }}
