package e2e

import (
	"bytes"
	"database/sql"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf16"
)

// needles are all forms of all secrets, by their first eight bytes.
type needles struct {
	first [1 << 16]bool // by the first two bytes, to be quick about the rest
	long  map[[8]byte][]needle
	count int
}

type needle struct {
	form []byte
	what string
}

func (s *secrets) needles() *needles {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	n := &needles{long: map[[8]byte][]needle{}}
	for secret, what := range s.known {
		for _, form := range formsOf(secret) {
			n.first[uint16(form[0])<<8|uint16(form[1])] = true
			head := [8]byte(form)
			n.long[head] = append(n.long[head], needle{form, what})
			n.count++
		}
	}
	return n
}

// formsOf gives the ways in which programs write a text: as it is, in URLs, in
// hexadecimal, in base64 wherever it begins there, and in UTF-16.
func formsOf(secret string) [][]byte {
	forms := [][]byte{
		[]byte(secret), []byte(hex.EncodeToString([]byte(secret))), []byte(strings.ToUpper(hex.EncodeToString([]byte(secret)))),
	}
	for _, escaped := range []string{url.QueryEscape(secret), url.PathEscape(secret)} {
		if escaped != secret {
			forms = append(forms, []byte(escaped))
		}
	}
	for _, encoding := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
		for offset := range 3 {
			encoded := encoding.EncodeToString(append(make([]byte, offset), secret...))
			// The letters at both ends also hold bits of what stands beside it.
			from, to := (offset*8+5)/6, (offset+len(secret))*8/6
			forms = append(forms, []byte(encoded[from:to]))
		}
	}
	var little, big []byte
	for _, unit := range utf16.Encode([]rune(secret)) {
		little = append(little, byte(unit), byte(unit>>8))
		big = append(big, byte(unit>>8), byte(unit))
	}
	return append(forms, little, big)
}

// hit is a secret that lies where it must not.
type hit struct{ where, what string }

// hunt searches one place after the other.
type hunt struct {
	needles *needles
	hits    []hit
	places  int
	bytes   int64
}

func (h *hunt) in(where string, content []byte) {
	h.places++
	h.bytes += int64(len(content))
	seen := map[string]bool{}
	for i := 0; i+8 <= len(content); i++ {
		if !h.needles.first[uint16(content[i])<<8|uint16(content[i+1])] {
			continue
		}
		for _, n := range h.needles.long[[8]byte(content[i:])] {
			if !seen[n.what] && bytes.HasPrefix(content[i:], n.form) {
				seen[n.what] = true
				h.hits = append(h.hits, hit{where, n.what})
			}
		}
	}
}

// search looks through every file of the house (configuration, keys, records
// with their logs, vault, temp folder, Redis's dump and log), the files that
// running processes hold open without a name, each key of Redis, each value of
// each table, and all that the processes said.
func (w *town) search(n *needles, more ...int) ([]hit, *hunt) {
	w.t.Helper()
	h := &hunt{needles: n}
	if err := w.redis.Save(w.t.Context()).Err(); err != nil {
		w.t.Fatalf("let Redis write its dump: %v", err)
	}
	err := filepath.WalkDir(w.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return ignoreGone(err)
		}
		content, err := os.ReadFile(path)
		if err == nil {
			h.in(path, content)
		}
		h.in("the name of "+path, []byte(path))
		return ignoreGone(err)
	})
	if err != nil {
		w.t.Fatal(err)
	}
	for _, p := range w.roles {
		more = append(more, p.command.Process.Pid)
	}
	for _, pid := range more {
		h.inOpenFiles(pid)
	}
	w.searchRedis(h)
	w.searchRecords(h)
	h.in("what the processes said", []byte(w.said.String()))
	return h.hits, h
}

// ignoreGone: running processes remove files while they are looked through.
func ignoreGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// inOpenFiles reads what a process has open: a file without a name is a file.
func (h *hunt) inOpenFiles(pid int) {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, link := range links {
		info, err := os.Stat(link)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		name, _ := os.Readlink(link)
		if content, err := os.ReadFile(link); err == nil {
			h.in(fmt.Sprintf("the open file %s", name), content)
		}
	}
}

func (w *town) searchRedis(h *hunt) {
	w.t.Helper()
	keys := w.redis.Scan(w.t.Context(), 0, "*", 1000).Iterator()
	for keys.Next(w.t.Context()) {
		value, err := w.redis.Dump(w.t.Context(), keys.Val()).Result()
		if err != nil {
			continue // it expired meanwhile
		}
		h.in("Redis's key "+keys.Val(), []byte(keys.Val()+"\n"+value))
	}
	if err := keys.Err(); err != nil {
		w.t.Fatal(err)
	}
}

// searchRecords reads values one by one: in the file a long one lies in pieces.
func (w *town) searchRecords(h *hunt) {
	w.t.Helper()
	db, err := sql.Open("sqlite", w.database())
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	for _, table := range w.column(db, "SELECT name FROM sqlite_master WHERE type = 'table'") {
		for _, column := range w.column(db, "SELECT name FROM pragma_table_info('"+table+"')") {
			values := w.column(db, fmt.Sprintf("SELECT CAST(%q AS BLOB) FROM %q", column, table))
			h.in(fmt.Sprintf("table %s, column %s", table, column), []byte(strings.Join(values, "\n")))
		}
	}
}

func (w *town) column(db *sql.DB, query string) (values []string) {
	w.t.Helper()
	rows, err := db.QueryContext(w.t.Context(), query)
	if err != nil {
		w.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var value []byte
		if err := rows.Scan(&value); err != nil {
			w.t.Fatal(err)
		}
		values = append(values, string(value))
	}
	if err := rows.Err(); err != nil {
		w.t.Fatal(err)
	}
	return values
}
