package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// mutant is the program with one fault in the order of its writes.
type mutant struct {
	name     string
	file     string // of the product
	old, new string
}

// mutants are the faults that would lose pages at a crash. Each has to be
// found by the test of kills, or that test proves nothing.
var mutants = []mutant{
	{
		name: "acknowledges a page before its record is written",
		file: "gateway/upload.go",
		old:  "func (u *Uploads) record(",
		new: `func (u *Uploads) record(ctx context.Context, s Session, blob BlobName, p Page, finish []func(*Page)) (Page, error) {
	go func() { _, _ = u.recordLate(context.WithoutCancel(ctx), s, blob, p, finish) }()
	return p, nil
}

func (u *Uploads) recordLate(`,
	},
	{
		name: "writes the record before the object has its name",
		file: "gateway/upload.go",
		old: `	if err := w.Commit(); err != nil {
		return Page{}, err
	}
	return u.record(`,
		new: `	defer func() { _ = w.Commit() }()
	return u.record(`,
	},
	{
		name: "never gives the object its name",
		file: "gateway/vault/write.go",
		old:  "func (w *writer) giveName() error {\n",
		new:  "func (w *writer) giveName() error {\n\tif w.exclusive {\n\t\treturn nil\n\t}\n",
	},
	{
		name: "never writes the end of the object",
		file: "gateway/vault/write.go",
		old:  "\tif w.err = w.flush(); w.err != nil {\n\t\treturn w.err\n\t}\n\tif err := w.file.Sync()",
		new:  "\tif err := w.file.Sync()",
	},
	{
		name: "answers before the transaction is committed",
		file: "gateway/records/batch.go",
		old:  "err := transaction.Commit(); err != nil",
		new:  "err := func() error { go func() { _ = transaction.Commit() }(); return nil }(); err != nil",
	},
}

// build makes the mutant from the product's sources; none of them changes.
func (m mutant) build(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	original := filepath.Join(root, filepath.FromSlash(m.file))
	source, err := os.ReadFile(original)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Count(string(source), m.old) != 1 {
		t.Fatalf("%s was rewritten: write this mutant anew", m.file)
	}
	folder := t.TempDir()
	changed := filepath.Join(folder, "changed.go")
	if err := os.WriteFile(changed, []byte(strings.Replace(string(source), m.old, m.new, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {original: changed}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(folder, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(folder, "dropslot")
	if err := build(program, "-overlay", list); err != nil {
		t.Fatal(err)
	}
	return program
}

// TestKillsCatchProgramsThatLosePages builds programs that do lose pages when
// they crash, and expects that the test of kills finds each of them out.
func TestKillsCatchProgramsThatLosePages(t *testing.T) {
	const round, rounds = 10, 15
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) {
			program := m.build(t)
			h := newHouse(t, nowhere)
			acknowledged := 0
			for n := 1; n <= rounds; n++ {
				s := newSiege(t, h)
				s.run(program, round)
				acknowledged += len(s.receipts)
				if lost := h.missing(s.receipts); len(lost) > 0 {
					t.Logf("found after %d kills or fewer: %d of %d pages lost", n*round, len(lost), acknowledged)
					return
				}
			}
			t.Errorf("%d kills and %d pages did not find it out", round*rounds, acknowledged)
		})
	}
}
