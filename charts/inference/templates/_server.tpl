{{/*
The server and the canary beside it, the same in both modes. The server's own readiness is not believed: with a dead
model process it calls itself ready while every request fails. So its probes ask the canary, which shares its address.
*/}}
{{- define "inference.containers" -}}
- name: {{ .container }}
  image: {{ include "inference.image" (list .root.Values.image .root) }}
  imagePullPolicy: {{ .root.Values.image.pullPolicy }}
  command: [/opt/tritonserver/bin/tritonserver]
  args:
    {{- include "inference.flags" .root | fromYamlArray | toYaml | nindent 4 }}
  env:
    {{- /* Nobody outside the pod knows it: what it guards is for nobody. */}}
    - name: POD_UID
      valueFrom: {fieldRef: {fieldPath: metadata.uid}}
  ports:
    {{- /* KServe leads to the first one, by the name of its protocol. */}}
    - {name: {{ .port }}, containerPort: 8001}
    - {name: metrics, containerPort: 8002}
  {{- include "inference.probes" . | nindent 2 }}
  resources:
    {{- $cards := ternary .root.Values.server.gpus 0 (eq .root.Values.processor "gpu") }}
    {{- include "inference.resources" (dict "root" .root "given" .root.Values.server.resources "cards" $cards) | nindent 4 }}
  {{- include "inference.confinement" . | nindent 2 }}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    - {name: shared-memory, mountPath: /dev/shm}
    - {name: tls, mountPath: /etc/pellicule/tls, readOnly: true}
    {{- with .models }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
- name: canary
  image: {{ include "inference.image" (list .root.Values.tools.image .root) }}
  imagePullPolicy: {{ .root.Values.tools.image.pullPolicy }}
  args:
    - inference.canary
    - --target=localhost:8001
    - --ca-file=/etc/pellicule/tls/ca.crt
    - --cert-file=/etc/pellicule/tls/tls.crt
    - --key-file=/etc/pellicule/tls/tls.key
    {{- if .models }}
    - --repository=/mnt/models
    {{- end }}
    - --watch={{ .root.Values.canary.everySeconds }}
    - --timeout={{ .root.Values.canary.timeoutSeconds }}
    - --patience={{ .root.Values.canary.patienceSeconds }}
    - --health=0.0.0.0:8081
    - --certificate=/etc/pellicule/tls/tls.crt
    - --restart-within={{ .root.Values.tls.restartWithinSeconds }}
  ports:
    - {name: health, containerPort: 8081}
  {{- /* It lives while it listens; what it says of the server is the server's. */}}
  startupProbe:
    tcpSocket: {port: health}
    periodSeconds: 2
    failureThreshold: 30
  readinessProbe:
    tcpSocket: {port: health}
    periodSeconds: 10
  livenessProbe:
    tcpSocket: {port: health}
    periodSeconds: 10
    failureThreshold: 6
  resources:
    {{- toYaml .root.Values.canary.resources | nindent 4 }}
  {{- include "inference.confinement" . | nindent 2 }}
  volumeMounts:
    - {name: tmp, mountPath: /tmp}
    - {name: tls, mountPath: /etc/pellicule/tls, readOnly: true}
    {{- with .models }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end }}

{{/* The canary answers: callers may come, and whether only a restart helps. */}}
{{- define "inference.probes" -}}
startupProbe:
  grpc: {port: 8081}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: {{ div (add .root.Values.server.startSeconds 4) 5 }}
readinessProbe:
  grpc: {port: 8081}
  periodSeconds: 5
  timeoutSeconds: 3
  failureThreshold: 2
livenessProbe:
  grpc: {port: 8081, service: liveness}
  periodSeconds: 10
  timeoutSeconds: 3
  failureThreshold: 3
{{- end }}

{{/* What the server is told. The repository is named here alone: named twice, it loads the models of neither. */}}
{{- define "inference.flags" -}}
- --model-repository=/mnt/models
{{- if eq .Values.processor "cpu" }}
- --model-config-name=cpu
- --allow-gpu-metrics=false
{{- /* Runs of models take turns at the cores: more at a time only begin with cold caches. */}}
- --rate-limit=execution_count
- --rate-limit-resource=core:{{ .Values.server.cores }}
{{- end }}
- --disable-auto-complete-config
- --strict-readiness=true
- --exit-on-error=true
- --exit-timeout-secs={{ .Values.server.stopSeconds }}
- --log-format=ISO8601
{{- /* Health is the canary's; the rest of what HTTP offers is inference in clear. */}}
- --allow-http=false
- --grpc-port=8001
- --metrics-port=8002
- --grpc-use-ssl=true
- --grpc-use-ssl-mutual=true
- --grpc-server-cert=/etc/pellicule/tls/tls.crt
- --grpc-server-key=/etc/pellicule/tls/tls.key
- --grpc-root-cert=/etc/pellicule/tls/ca.crt
- --grpc-restricted-protocol=shared-memory,model-repository,trace,logging:pellicule-pod=$(POD_UID)
{{- /* Callers hold a connection for ever: by its end they see what servers there are now. */}}
- --grpc-max-connection-age={{ mul .Values.server.connectionAgeSeconds 1000 }}
- --grpc-max-connection-age-grace=60000
{{- /* The services ping every 20 s, also while they have nothing to ask. */}}
- --grpc-keepalive-permit-without-calls=true
- --grpc-http2-min-recv-ping-interval-without-data=10000
- --backend-config=python,shm-default-byte-size=1048576
{{- range .Values.server.extraArgs }}
- {{ . | quote }}
{{- end }}
{{- end }}

{{- define "inference.serverVolumes" -}}
{{ include "inference.temporary" . }}
- name: shared-memory
  emptyDir:
    medium: Memory
    sizeLimit: {{ .Values.server.sharedMemory }}
{{ include "inference.certificates" . }}
{{- end }}
