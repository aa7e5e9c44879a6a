package e2e

import (
	"database/sql"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// submit sends pages as one client and says that they are all.
func (h *house) submit(pages ...sealedPage) (submission string) {
	h.t.Helper()
	ctx := h.t.Context()
	c := &client{base: "http://" + h.public, from: randomAddress(), http: newTransport()}
	answer, err := c.deliver(ctx, h.public, newText("Hello"))
	if err != nil {
		h.t.Fatal(err)
	}
	token, err := tokenIn(answer)
	if err != nil {
		h.t.Fatal(err)
	}
	if err := c.claim(ctx, token); err != nil {
		h.t.Fatal(err)
	}
	for _, page := range pages {
		c.sends(h.t, randomText(20), page)
	}
	response, _, err := c.do(ctx, http.MethodPost, c.send+"/done", nil, nil)
	if err != nil || response.StatusCode != http.StatusSeeOther {
		h.t.Fatalf("done: %v %v", response, err)
	}
	return filepath.Base(c.send)
}

// databaseFile gives the path of the house's SQLite file.
func (h *house) databaseFile() string { return h.path("data", "records.db") }

// tamper changes the records behind the program's back.
func (h *house) tamper(statement string) {
	h.t.Helper()
	db, err := sql.Open("sqlite", h.databaseFile())
	if err != nil {
		h.t.Fatal(err)
	}
	defer db.Close()
	result, err := db.ExecContext(h.t.Context(), statement)
	if err != nil {
		h.t.Fatal(err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		h.t.Fatalf("%s: %d rows, %v", statement, n, err)
	}
}

// dropDatabase removes the SQLite file with all that belongs to it.
func (h *house) dropDatabase() {
	h.t.Helper()
	for _, ending := range []string{"", "-wal", "-shm"} {
		if err := os.Remove(h.databaseFile() + ending); err != nil && !os.IsNotExist(err) {
			h.t.Fatal(err)
		}
	}
}

// TestTheTrailShowsTamperingAndTheVaultRebuildsLostRecords lets a house work,
// stops it, changes its audit rows by SQL, and at last loses the database.
func TestTheTrailShowsTamperingAndTheVaultRebuildsLostRecords(t *testing.T) {
	h := newHouse(t, nowhere)
	h.addStaff()
	running := h.serve("intake", "desk", "worker")
	pages := sealedPages(t, h)
	first := h.submit(pages[0], pages[4])
	second := h.submit(pages[1])
	h.deskClient().opens(first, pages[0], pages[4])
	for _, p := range running {
		p.stop()
	}
	h.command("", "audit", "verify", "-c", h.config)

	sound, err := os.ReadFile(h.databaseFile())
	if err != nil {
		t.Fatal(err)
	}
	const viewed = "chain IN (SELECT chain FROM audit WHERE action = 'page.viewed')"
	for what, statement := range map[string]string{
		"changed":                       "UPDATE audit SET actor = 'staff:somebody-else' WHERE action = 'page.viewed'",
		"were removed; the entry after": "DELETE FROM audit WHERE action = 'page.viewed'",
		"were removed from the end":     "DELETE FROM audit WHERE seq > 2 AND " + viewed,
	} {
		h.tamper(statement)
		words := h.fails("audit", "verify", "-c", h.config)
		if !strings.Contains(words, "FAULT: ") || !strings.Contains(words, what) {
			t.Errorf("after %s the verification says:\n%s", statement, words)
		}
		h.dropDatabase()
		if err := os.WriteFile(h.databaseFile(), sound, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h.command("", "audit", "verify", "-c", h.config)

	h.dropDatabase()
	h.fails("reindex", "-c", h.config) // an act that opens pages wants a reason
	said := h.command("", "reindex", "-c", h.config, "--reason", "the disk with the database is gone")
	if !strings.Contains(said, "2 submissions in the vault, 3 pages restored, 0 erased") {
		t.Errorf("reindex says: %s", said)
	}
	again := h.command("", "reindex", "-c", h.config, "--reason", "once more")
	if !strings.Contains(again, "0 pages restored") {
		t.Errorf("a second reindex says: %s", again)
	}
	h.addStaff()
	running = h.serve("desk")
	desk := h.deskClient()
	desk.opens(first, pages[0], pages[4])
	desk.opens(second, pages[1])
	running["desk"].stop()
	words := h.command("", "audit", "verify", "-c", h.config)
	if !strings.Contains(words, "On record: ") {
		t.Errorf("the verification does not tell of the lost trail:\n%s", words)
	}
}
