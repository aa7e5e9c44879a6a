// Package paper makes one PDF of the pages of a submission. JPEGs pass into it
// as they are, streaming; other pictures are encoded anew, one at a time.
//
// PDFs of clients are left out of it, and named. To take their pages over, a
// parser has to read what a stranger wrote, within the desk's own memory.
// pdfcpu 0.15.0, with its limits set, takes a scan of 20 MB in 20 ms and 21 MB;
// but a cross-reference table of 18 MB took it 1,540 MB and 20 s, one array of
// 18 MB 497 MB, 400,000 empty objects 172 MB and 7 s, and it went on for 6 s
// after its context had ended (two cores, November 2026). That belongs into a
// process of its own with bounds on its memory and time, and without keys.
package paper
