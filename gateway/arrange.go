package gateway

import (
	"context"
	"slices"
	"time"
)

// Label says what a page is: one of the office's asks, or empty. What it says
// already writes nothing.
func (u *Uploads) Label(ctx context.Context, s Session, key PageKey, label string) error {
	now := u.Now()
	if code, over := sessionOver(s, now); over {
		return NewError(code, nil)
	}
	if !key.Valid() {
		return NewError(CodeNotFound, nil)
	}
	if label != "" && !u.Directory.Offices[s.Submission.Office].Asked(label) {
		return NewError(CodeBadRequest, nil)
	}
	at := slices.IndexFunc(s.Pages, func(p Page) bool { return p.Key == key })
	if at < 0 {
		return NewError(CodeNotFound, nil)
	}
	page := s.Pages[at]
	if page.Label == label && s.Submission.LackOf(label) == LackNone {
		return nil
	}
	return u.Records.LabelPage(ctx, s.Link.ID, s.Submission.ID, key, label, u.act(now), u.byClient(s, ActionPageLabeled, "page:"+string(page.ID)))
}

// Order puts the pages in the order of these keys. Those that are not named
// keep their order behind them. The order that is there writes nothing.
func (u *Uploads) Order(ctx context.Context, s Session, keys []PageKey) error {
	now := u.Now()
	if code, over := sessionOver(s, now); over {
		return NewError(code, nil)
	}
	seen := make(map[PageKey]bool, len(keys))
	for _, key := range keys {
		if !key.Valid() || seen[key] {
			return NewError(CodeBadRequest, nil)
		}
		seen[key] = true
	}
	if len(keys) == 0 {
		return NewError(CodeBadRequest, nil)
	}
	if s.Wish.Page != "" && slices.ContainsFunc(keys, func(key PageKey) bool {
		return !slices.ContainsFunc(s.Pages, func(p Page) bool { return p.Key == key })
	}) {
		return NewError(CodeNotFound, nil)
	}
	if inThisOrder(s.Pages, keys) {
		return nil
	}
	return u.Records.OrderPages(ctx, s.Link.ID, s.Submission.ID, keys, u.act(now), u.byClient(s, ActionPagesOrdered, "submission:"+string(s.Submission.ID)))
}

// inThisOrder tells whether the pages begin with these.
func inThisOrder(pages []Page, keys []PageKey) bool {
	if len(keys) > len(pages) {
		return false
	}
	for n, key := range keys {
		if pages[n].Key != key {
			return false
		}
	}
	return true
}

func (u *Uploads) act(now time.Time) Act {
	return Act{At: now, IdleAt: now.Add(u.Limits.SessionIdle)}
}
