// Package paper makes one PDF of the pages of a submission. JPEGs pass into it
// as they are, streaming; other pictures are encoded anew, one at a time.
//
// The pages of clients' PDFs are taken over: their words stay words. PDFium reads
// such a PDF in a sandbox of WebAssembly and writes its pages anew, with a look for
// every field and note that left this to its viewer. From that, this package copies
// what the pages show, and fields and notes as pictures that lie where they lay; no
// script, action, link, attachment or history. What would be lost or come to light
// by that (a portfolio, a form that a script builds, comments, files on a page,
// layers, letters that PDFium cannot put into a field), what is damaged, and what
// takes more memory or time than there is stays a file of its own, and is named.
// Of a digital signature comes what it looks like, not what proves it.
// Images and fonts pass as they are: what hurts a viewer in them, hurts it in the
// client's own file too.
//
// Measured on two cores in November 2026: compiling PDFium takes 3.7 s and 320 MB
// for that time, 45 MB stay; then a statement of 2 pages takes 12 ms, a scan of 18
// pages 5 ms, a standard of 186 pages 440 ms. (pdfcpu 0.15, without a sandbox,
// needed 1,540 MB and 20 s for a cross-reference table of 18 MB.)
package paper
