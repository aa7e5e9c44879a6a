package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strings"
	"time"
)

// pages gives what the latest manifest lists, or, where none can be read,
// every page object that opens.
func (r *Reindex) pages(ctx context.Context, s shelf, submission *Submission, report *ReindexReport) ([]Page, error) {
	for _, name := range slices.Backward(s.manifests) {
		var m Manifest
		err := r.read(ctx, s.office, name, &m)
		if Is(err, CodeBlobDamaged) {
			report.Damaged = append(report.Damaged, name)
			continue
		}
		if err != nil {
			return nil, err
		}
		submission.FinishedAt, submission.Unfinished, submission.SealedName = m.FinishedAt, m.Unfinished, m.SealedName
		submission.Staff = m.Staff
		submission.SealedCase, submission.Remarks, submission.MergedInto = m.SealedCase, m.Remarks, m.MergedInto
		if len(m.CaseIndex) == len(submission.CaseIndex) {
			submission.CaseIndex = CaseIndex(m.CaseIndex)
		}
		for _, l := range m.Lacks {
			submission.Lacks = append(submission.Lacks, Lack(l))
		}
		submission.Stage, submission.Assigned = m.Stage, m.Assigned
		if m.Done != nil {
			submission.State, submission.HandledAt, submission.HandledBy = SubmissionHandled, m.Done.At, m.Done.By
			submission.HandledAs, submission.HandledNote = m.Done.As, m.Done.Note
		}
		later, err := r.later(ctx, s, m, submission, report)
		return append(r.listed(s, m, report), later...), err
	}
	return r.allUnlisted(ctx, s, s.pages, report)
}

// later gives what the client sent by another link after the end that the
// manifest tells of: the submission was open again, and is not done.
func (r *Reindex) later(ctx context.Context, s shelf, m Manifest, submission *Submission, report *ReindexReport) ([]Page, error) {
	first, err := FirstID(m.FinishedAt)
	if err != nil {
		return nil, err
	}
	younger := slices.DeleteFunc(slices.Clone(s.pages), func(info BlobInfo) bool {
		return pageName(info.Name) < first || slices.ContainsFunc(m.Pages, func(p ManifestPage) bool { return p.Blob == info.Name })
	})
	pages, err := r.allUnlisted(ctx, s, younger, report)
	if len(pages) > 0 {
		submission.State, submission.Stage, submission.FinishedAt = SubmissionReceived, "", time.Time{}
		submission.HandledAt, submission.HandledBy, submission.HandledAs, submission.HandledNote = time.Time{}, "", "", ""
	}
	return pages, err
}

// pageName is the identifier in the name of a page's object.
func pageName(blob BlobName) string {
	_, name := splitBlob(blob)
	return strings.TrimSuffix(strings.TrimPrefix(name, "page-"), ".age")
}

func (r *Reindex) allUnlisted(ctx context.Context, s shelf, objects []BlobInfo, report *ReindexReport) ([]Page, error) {
	names := make([]BlobName, 0, len(objects))
	for _, info := range objects {
		names = append(names, info.Name)
	}
	standings, err := r.Records.KnownBlobs(ctx, s.id, names)
	if err != nil {
		return nil, err
	}
	var pages []Page
	for _, info := range objects {
		standing := standings[info.Name]
		switch {
		case s.erased[info.Name]:
			report.Erased++
			continue
		case standing == BlobUnknown, standing == BlobOrphan && r.behind:
		case standing == BlobOrphan:
			report.Skipped++
			continue
		default:
			continue
		}
		page, err := r.unlisted(ctx, s, info)
		switch {
		case Is(err, CodeBlobDamaged):
			report.Damaged = append(report.Damaged, info.Name)
		case err != nil:
			return nil, err
		default:
			pages = append(pages, page)
		}
	}
	return pages, nil
}

func (r *Reindex) listed(s shelf, m Manifest, report *ReindexReport) []Page {
	there := map[BlobName]int64{}
	for _, info := range s.pages {
		there[info.Name] = info.Size
	}
	var pages []Page
	for _, listed := range m.Pages {
		size, present := there[listed.Blob]
		digest, same := Digest{}, Digest{}
		_, err1 := hex.Decode(digest[:], []byte(listed.SHA256))
		_, err2 := hex.Decode(same[:], []byte(listed.Same))
		switch {
		case s.erased[listed.Blob]:
			report.Erased++
		case !present:
			report.Missing++
		case err1 != nil, err2 != nil, size != listed.SealedBytes:
			report.Damaged = append(report.Damaged, listed.Blob)
		default:
			placed, home := s.id, SubmissionID("")
			if listed.Moved != "" {
				placed, home = listed.Moved, s.id
			}
			pages = append(pages, Page{
				ID: listed.ID, Key: listed.Key, Submission: placed, Home: home, Office: s.office, Link: listed.Link, Blob: listed.Blob,
				Digest: digest, Same: same, SealedBytes: listed.SealedBytes, PlainBytes: listed.PlainBytes,
				Sealing: listed.Sealing, Label: listed.Label, Place: listed.Place, Rotation: rotationOf(listed.Rotation),
				ReceivedAt: listed.ReceivedAt, Again: listed.Again, AgainWhy: listed.AgainWhy,
			})
		}
	}
	return pages
}

// unlisted rebuilds a page's row from its object alone. Its identifier is the
// one in the object's name, so that running again finds the same page.
func (r *Reindex) unlisted(ctx context.Context, s shelf, info BlobInfo) (Page, error) {
	blob, err := r.Vault.Open(ctx, info.Name)
	if err != nil {
		return Page{}, err
	}
	defer func() { _ = blob.Close() }()
	digest, err := digestOf(blob)
	if err != nil {
		return Page{}, err
	}
	plain, size, err := r.Opener.Open(s.office, blob, blob.Size())
	if err != nil {
		return Page{}, err
	}
	piece := pieces.Get().(*[]byte)
	defer pieces.Put(piece)
	if _, err := copyPieces(io.Discard, io.NewSectionReader(plain, 0, size), *piece, size); err != nil {
		return Page{}, NewError(CodeBlobDamaged, errors.New("the sealed content is cut or changed"))
	}
	id := pageName(info.Name)
	return Page{
		ID: PageID(id), Key: PageKey(id), Submission: s.id, Office: s.office, Blob: info.Name, Digest: digest, Same: digest,
		SealedBytes: blob.Size(), PlainBytes: size, Sealing: SealedByServer, ReceivedAt: info.Modified,
	}, nil
}
