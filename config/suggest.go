package config

import "strings"

// unknownKey says what is allowed at this place, or the one key that was
// probably meant.
func unknownKey(key string, known []string) *problem {
	what := "the key " + shown(key) + " is unknown here"
	best, distance := "", 3
	for _, k := range known {
		if n := editDistance(strings.ToLower(key), k); n < distance {
			best, distance = k, n
		}
	}
	if best != "" {
		return wrong(what, "did you mean "+best+"?")
	}
	return wrong(what, "take it out, or write one of: "+strings.Join(known, ", "))
}

// editDistance counts the letters to change, add or drop to make one word of
// the other (Levenshtein). Keys are short; long ones are never similar.
func editDistance(a, b string) int {
	if len(a) > 40 || len(b) > 40 {
		return 40
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
