// Package paper makes one PDF of the pages of a submission. JPEGs pass into it
// as they are, streaming; other pictures are encoded anew, one at a time.
//
// The pages of clients' PDFs become pictures of 200 dots an inch, with what was
// filled into forms. Nothing else of such a PDF goes along: no script, link,
// attachment, hidden layer or history. PDFium draws them within a sandbox of
// WebAssembly with 256 MB and 45 seconds for all of one hand-off; a PDF that takes
// more, needs letters that it does not bring, or is damaged is left out, and named.
//
// Measured on two cores in November 2026: compiling PDFium takes 3.7 s and 320 MB
// for that time, 45 MB stay; a page of a statement takes 0.05 to 0.2 s and 0.1 to
// 0.4 MB, a scanned one 1 s. (pdfcpu 0.15, which could have taken pages over as
// they are, needed 1,540 MB and 20 s for a cross-reference table of 18 MB.)
package paper
