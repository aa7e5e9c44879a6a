package main

import (
	"io"
	"path/filepath"
	"strings"
	"text/template"
)

// What keygen says when it is done. Whoever reads this decides here where the
// keys of an agency's papers will lie for years.
var keygenWords = template.Must(template.New("keygen").Funcs(template.FuncMap{"base": filepath.Base}).Parse(
	`Made the keys of office {{.Set.Office}}. Only their owner can read the secret ones.

{{.Set.Key}}
    Opens the office's papers. Sealed with your passphrase.
    Store: on the desk's machine alone, owned by the desk's user. Never on the
    machine that is on the internet. Keep a copy offline.
{{.Set.Recovery}}
    Opens the office's papers when the key above or its passphrase is lost.
{{- if .RecoverySealed}}
    Sealed with its own passphrase: keep that apart from both, on paper.
{{- else}}
    NOT SEALED: whoever has this file opens every paper of the office.
{{- end}}
    Store: offline, locked away. Take the medium out of this machine now; if
    the file lies on a disk, move it to a medium and delete it here.
{{.Set.Pub}}
{{.Set.RecoveryPub}}
    What papers are sealed to. Not secret.
    Store: on every machine that runs Dropslot.
{{.Set.Link}}{{if .Set.KeepLink}} (was there and is kept){{end}}
    Makes the links, seals phone numbers, chains the audit trail.
    Store: on every machine that runs Dropslot, for the group of its users there
    (chmod 640). Keep a copy offline: without it, phone numbers cannot be read
    and the audit trail cannot be proven.

The passphrase: in your secrets store and on paper in a safe. Dropslot cannot
bring it back.

In the configuration (paths begin at data_dir):
  offices:
    {{.Set.Office}}:
      recipients: [{file: keys/{{base .Set.Pub}}}, {file: keys/{{base .Set.RecoveryPub}}}]
      identity: {file: keys/{{base .Set.Key}}, passphrase: {env: {{.Variable}}}}

Papers are plain age files: "dropslot open" opens them without a server, and so
does the standard age tool from version 1.3 on (older ones do not know these
post-quantum keys).
`))

func explainKeys(w io.Writer, set keySet, recoverySealed bool) error {
	return keygenWords.Execute(w, struct {
		Set            keySet
		RecoverySealed bool
		Variable       string
	}{set, recoverySealed, strings.ToUpper(strings.ReplaceAll(set.Office, "-", "_")) + "_PASSPHRASE"})
}
