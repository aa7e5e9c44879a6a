// Package paper makes one PDF of the pages of a submission. JPEGs pass into it
// as they are, streaming; other pictures are encoded anew, one at a time.
package paper
