{{- define "inference.spread" -}}
{{- range .root.Values.topologySpread.topologyKeys }}
- topologyKey: {{ . }}
  maxSkew: 1
  whenUnsatisfiable: {{ $.root.Values.topologySpread.whenUnsatisfiable }}
  labelSelector:
    matchLabels:
      {{- include "inference.selector" $ | nindent 6 }}
{{- end }}
{{- end }}
