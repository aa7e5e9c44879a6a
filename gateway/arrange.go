package gateway

import "context"

// Label says what a page is: one of the office's asks, or empty.
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
	page, err := u.Records.FindPage(ctx, s.Submission.ID, key)
	if err != nil {
		return err
	}
	return u.Records.LabelPage(ctx, s.Link.ID, s.Submission.ID, key, label, now, u.byClient(s, ActionPageLabeled, "page:"+string(page.ID)))
}

// Order puts the pages in the order of these keys. Those that are not named
// keep their order behind them.
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
	return u.Records.OrderPages(ctx, s.Link.ID, s.Submission.ID, keys, now, u.byClient(s, ActionPagesOrdered, "submission:"+string(s.Submission.ID)))
}
