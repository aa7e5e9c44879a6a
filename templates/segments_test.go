package templates

import (
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestCountSegments(t *testing.T) {
	repeat := strings.Repeat
	for _, c := range []struct {
		name, text string
		want       Segments
	}{
		{"nothing", "", Segments{GSM7, 0, 0}},
		{"160 letters", repeat("a", 160), Segments{GSM7, 160, 1}},
		{"161 letters", repeat("a", 161), Segments{GSM7, 161, 2}},
		{"306 letters", repeat("a", 306), Segments{GSM7, 306, 2}},
		{"307 letters", repeat("a", 307), Segments{GSM7, 307, 3}},
		{"GSM-7 beyond ASCII", "¿éüñÉÜÑ¡àèìòùÇäöß", Segments{GSM7, 17, 1}},
		{"extension letters count twice", "^{}\\[~]|€\f", Segments{GSM7, 20, 1}},
		{"80 extension letters", repeat("€", 80), Segments{GSM7, 160, 1}},
		{"an extension letter moves to the next segment", repeat("a", 152) + "€" + repeat("a", 152), Segments{GSM7, 306, 3}},
		{"an accent that GSM-7 lacks", "aquí", Segments{UCS2, 4, 1}},
		{"a typographic quote", "it’s", Segments{UCS2, 4, 1}},
		{"a tab", "a\tb", Segments{UCS2, 3, 1}},
		{"a small cedilla", "ç", Segments{UCS2, 1, 1}},
		{"70 of UCS-2", "í" + repeat("a", 69), Segments{UCS2, 70, 1}},
		{"71 of UCS-2", "í" + repeat("a", 70), Segments{UCS2, 71, 2}},
		{"an extension letter is one unit of UCS-2", "í€", Segments{UCS2, 2, 1}},
		{"35 emoji", repeat("👍", 35), Segments{UCS2, 70, 1}},
		{"an emoji moves to the next segment", repeat("í", 66) + "👍" + repeat("í", 66), Segments{UCS2, 134, 3}},
	} {
		if got := CountSegments(c.text); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

// Twilio's own calculator, from npm, counts the same for texts of every mix
// of letters. It also keeps letters and their combining marks together, which
// Twilio's documents do not say; so none are in these texts.
func TestCountSegmentsAgreesWithTwiliosCalculator(t *testing.T) {
	folder := filepath.Join("testdata", "segments")
	node, err := exec.LookPath("node")
	if _, missing := os.Stat(filepath.Join(folder, "node_modules", "sms-segments-calculator")); err != nil || missing != nil {
		const what = "needs node, and npm ci in templates/testdata/segments"
		if os.Getenv("DROPSLOT_REQUIRE_ALL") == "1" {
			t.Fatal(what)
		}
		t.Skip(what)
	}
	texts := generatedTexts()
	input, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), node, "count.js")
	command.Dir = folder
	command.Stdin = strings.NewReader(string(input))
	output, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var counts []struct {
		Encoding Encoding `json:"encoding"`
		Count    int      `json:"count"`
	}
	if err := json.Unmarshal(output, &counts); err != nil || len(counts) != len(texts) {
		t.Fatalf("%d counts for %d texts: %v", len(counts), len(texts), err)
	}
	for i, text := range texts {
		if got := CountSegments(text); got.Encoding != counts[i].Encoding || got.Count != counts[i].Count {
			t.Errorf("%q: %+v, the calculator says %+v", text, got, counts[i])
		}
	}
}

// generatedTexts mixes letters of several alphabets in lengths around each
// limit, the same in every run, and adds each single letter below U+2100.
func generatedTexts() []string {
	random := rand.New(rand.NewPCG(1, 2))
	alphabets := []string{
		"abc XYZ 019 .,:", gsmBasic, gsmExtension + "ab", gsmBasic + gsmExtension,
		"aáíóú", "ab€í", "Привет", "日本語", "👍🎉a", "👍€íà",
	}
	var texts []string
	for _, alphabet := range alphabets {
		letters := []rune(strings.ReplaceAll(alphabet, "\r", "")) // CR LF is one letter to the calculator
		for _, length := range []int{1, 34, 35, 36, 66, 67, 68, 69, 70, 71, 80, 133, 134, 135, 152, 153, 154, 159, 160, 161, 305, 306, 307, 460} {
			for range 4 {
				text := make([]rune, length)
				for i := range text {
					text[i] = letters[random.IntN(len(letters))]
				}
				texts = append(texts, string(text))
			}
		}
	}
	for r := rune(1); r < 0x2100; r++ {
		texts = append(texts, string(r))
	}
	return texts
}
