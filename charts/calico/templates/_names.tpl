{{- define "calico.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{- define "calico.labels" -}}
app.kubernetes.io/part-of: calico
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
{{- end }}

{{/* The network configuration that the container runtime reads, with the placeholders that calico-node fills in. */}}
{{- define "calico.conflist" -}}
{{- $ipam := dict "type" "calico-ipam" -}}
{{- if eq .Values.networking "none" -}}
{{- $ipam = dict "type" "host-local" "subnet" "usePodCidr" -}}
{{- else if .Values.pools.ipv6.cidr -}}
{{- $ipam = dict "type" "calico-ipam" "assign_ipv4" (ternary "true" "false" (ne .Values.pools.ipv4.cidr "none")) "assign_ipv6" "true" -}}
{{- end -}}
{{- $own := dict "type" "calico" "log_level" .Values.logLevel "mtu" "__MTU__" "ipam" $ipam "policy" (dict "type" "k8s") -}}
{{- $conflist := dict "name" "k8s-pod-network" "cniVersion" "1.0.0" "plugins" (concat (list $own) .Values.cni.chained) -}}
{{ $conflist | toPrettyJson | replace "\"__MTU__\"" "__CNI_MTU__" }}
{{- end }}

{{/* A probe: what it asks, then the numbers of the template, then those of the values. */}}
{{- define "calico.probe" -}}
{{- $probe := dict -}}
{{- range . -}}
{{- range $name, $value := . -}}
{{- $_ := set $probe $name $value -}}
{{- end -}}
{{- end -}}
{{ toYaml $probe }}
{{- end }}
