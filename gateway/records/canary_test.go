package records

import (
	"bytes"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"dropslot/gateway"
)

// staying are the tables that an erasure leaves alone, each with its reason.
// Every other table gets a canary in every column, and keeps none: a new table
// is either erased or has a line here.
var staying = map[string]string{
	"schema_versions":   "the schema's own",
	"audit":             "kept for six years; it names things by identifier",
	"audit_checkpoints": "the audit trail's own",
	"office_keys":       "fingerprints of the office's own keys",
	"configurations":    "keyed hashes of what the configuration's keys held",
	"figures":           "counts by office and week, of nobody",
	"tombstones":        "what stays of an erasure: an identifier, an office, a reason",
	"retention_runs":    "the clock's own",
	"staff":             "accounts of caseworkers, not of clients",
	"invitations":       "caseworkers' accounts, not clients'",
	"passkeys":          "caseworkers' accounts, not clients'",
	"desk_sessions":     "caseworkers' accounts, not clients'",
	"notice_settings":   "caseworkers' own",
	"notices":           "for 30 days: that something happened, by identifier",
	"notice_messages":   "for 30 days: counts",
	"notice_looks":      "the clock's own",
	"emergencies":       "who looked in an emergency; the reason, which may name a client, goes with the old rows",
	"budgets":           "counts of segments by office and number",
}

// planted are the values of columns that lead to the client or have to be one
// of a few words. Every other text and bytes get a canary, every number a 1.
func planted(w *world, s gateway.SubmissionID, sender []byte) map[string]any {
	return map[string]any{
		"submission": string(s), "submissions.id": string(s), "sender": sender, "office": "north",
		"link": "L1", "links.id": "L1", "text": "T1", "texts.id": "T1", "sending": "S1", "sendings.id": "S1",
		"submissions.state": "handled", "links.state": "closed", "origin": "counter", "submissions.origin": "",
		"texts.step": "done", "outgoing.step": "done", "media": "sealed", "words": "sealed", "due_at": 0,
		"lacks.reason": "cannot", "wishes.reason": "blurry", "rotation": 90, "deliveries.state": "delivered", "opted_out_at": 0, "handled_at": ms(noon), "finished_at": ms(noon), "last_page_at": ms(noon), "opened_at": ms(noon),
		"received_at": ms(noon), "released_at": 1,
		"stage": "open", "merged_into": "", "home": "", "case_index": []byte("canary-case-num!"),
	}
}

type columnType struct {
	name  string
	bytes bool
	text  bool
}

// schema gives the columns of every table.
func (w *world) schema() map[string][]columnType {
	w.t.Helper()
	db := w.database()
	defer db.Close()
	query := `SELECT m.name, p.name, p.type FROM sqlite_master m, pragma_table_info(m.name) p
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' ORDER BY m.name, p.cid`
	if !strings.HasPrefix(w.url, "sqlite:") {
		query = `SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c
			JOIN information_schema.tables t ON t.table_name = c.table_name AND t.table_schema = c.table_schema
			WHERE c.table_schema = current_schema() AND t.table_type = 'BASE TABLE' ORDER BY c.table_name, c.ordinal_position`
	}
	rows, err := db.QueryContext(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	tables := map[string][]columnType{}
	for rows.Next() {
		var table, column, kind string
		if err := rows.Scan(&table, &column, &kind); err != nil {
			w.t.Fatal(err)
		}
		if strings.HasPrefix(table, "river_") {
			continue // the job queue's: subjects are identifiers, and rows of what is done go by themselves
		}
		kind = strings.ToLower(kind)
		tables[table] = append(tables[table], columnType{column, kind == "blob" || kind == "bytea", strings.HasPrefix(kind, "text")})
	}
	if err := rows.Err(); err != nil || len(tables) < 10 {
		w.t.Fatalf("%d tables, %v", len(tables), err)
	}
	return tables
}

// plant puts a row into every table that does not stay.
func (w *world) plant(tables map[string][]columnType, values map[string]any) {
	w.t.Helper()
	db := w.database()
	defer db.Close()
	waiting := map[string]error{}
	for table := range tables {
		if staying[table] == "" {
			waiting[table] = nil
		}
	}
	for round := 0; len(waiting) > 0; round++ { // a row must not come before the one that it refers to
		for _, table := range slices.Sorted(maps.Keys(waiting)) {
			if err := insertCanaries(w.t, db, table, tables[table], values); err == nil {
				delete(waiting, table)
			} else {
				waiting[table] = err
			}
		}
		if round > 8 {
			w.t.Fatalf("a row cannot be planted; say in planted what its columns need: %v", waiting)
		}
	}
}

func insertCanaries(t testing.TB, db *sql.DB, table string, columns []columnType, values map[string]any) error {
	var names []string
	var args []any
	for _, c := range columns {
		value, chosen := values[table+"."+c.name]
		if !chosen {
			value, chosen = values[c.name]
		}
		switch canary := "canary-" + table + "-" + c.name; {
		case chosen:
		case c.bytes:
			value = []byte(canary)
		case c.text:
			value = canary
		default:
			value = 1
		}
		names, args = append(names, c.name), append(args, value)
	}
	_, err := db.ExecContext(t.Context(), insertInto(table, strings.Join(names, ", ")), args...)
	return err
}

// left names every column that still holds something of the client.
func (w *world) left(tables map[string][]columnType, marks ...[]byte) (found []string) {
	w.t.Helper()
	db := w.database()
	defer db.Close()
	for table, columns := range tables {
		for _, c := range columns {
			for _, value := range w.column(db, table, c.name) {
				for _, mark := range marks {
					if bytes.Contains(value, mark) {
						found = append(found, fmt.Sprintf("%s.%s: %q", table, c.name, value))
					}
				}
			}
		}
	}
	return found
}

// column gives every value of a column.
func (w *world) column(db *sql.DB, table, name string) (values [][]byte) {
	w.t.Helper()
	rows, err := db.QueryContext(w.t.Context(), "SELECT "+name+" FROM "+table)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var value []byte
		if err := rows.Scan(&value); err != nil {
			w.t.Fatal(err)
		}
		values = append(values, value)
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return values
}

// An erasure leaves nothing of a client in any column of any table.
func TestAnErasureLeavesNothingOfTheClient(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		tables := w.schema()
		for table := range staying {
			if tables[table] == nil {
				t.Errorf("the table %s, which stays, is not there", table)
			}
		}
		sender := bytes.Repeat([]byte{0xc5}, 16)
		id := gateway.SubmissionID(newID(t))
		w.plant(tables, planted(w, id, sender))
		before := w.left(tables, []byte("canary-"), sender)
		if len(before) < 50 {
			t.Fatalf("only %d canaries were planted", len(before))
		}
		now := noon.Add(90 * day)
		due, err := w.DueSubmissions(t.Context(), north, terms(now), "", 10)
		if err != nil || len(due) != 1 {
			t.Fatalf("due: %v %v", due, err)
		}
		erased, err := w.EraseDue(t.Context(), due[0], terms(now), gateway.AuditEntry{At: now, Action: gateway.ActionErased, Object: "submission:" + string(id)})
		if err != nil || !erased {
			t.Fatalf("erased %v, %v", erased, err)
		}
		for _, what := range w.left(tables, []byte("canary-"), sender) {
			t.Errorf("left in %s", what)
		}
		w.proven()
	})
}

// What is another client's stays whole.
func TestAnErasureTouchesNobodyElse(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		other := w.handled(1)
		gone := w.handled(2)
		w.raw("UPDATE submissions SET handled_at = $1 WHERE id = $2", ms(noon.Add(time.Hour)), string(other.Submission))
		counts := func() (n []int) {
			for _, table := range []string{"submissions", "pages", "links", "texts", "senders"} {
				n = append(n, w.count(table))
			}
			return n
		}
		before := counts()
		if !w.goes(north, gone.Submission, noon.Add(90*day)) {
			t.Fatal("not erased")
		}
		after := counts()
		for i := range before {
			if after[i]*2 != before[i] {
				t.Errorf("of %v %v is left, want one of two", before, after)
				break
			}
		}
		_, pages, err := w.Submission(t.Context(), []gateway.OfficeID{north}, other.Submission)
		if err != nil || len(pages) != 1 {
			t.Errorf("the other's: %d pages, %v", len(pages), err)
		}
	})
}
