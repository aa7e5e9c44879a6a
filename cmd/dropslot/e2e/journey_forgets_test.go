package e2e

// redisForgets empties Redis at every station of a client's way: what SQL
// knows brings each link and each session back.
func redisForgets(w *town) {
	sam := w.newPerson("Sam")
	sam.asks("Hi, I need to send two pages")
	w.forget()
	sam.visit(sam.link)
	sam.visible("main form button")
	w.forget()
	sam.clickThrough("main form button")
	sam.inside()
	sam.photographs("photo-id")
	w.forget()
	sam.photographs("pay-stub")
	sam.readsPage("page.script.received", "2")
	w.forget()
	second := sam.otherPhone("somebody with Sam's link")
	second.expects("409")
	second.visit(sam.link)
	second.reads("page.problem.link-taken")
	w.forget()
	sam.isDone("")
	sam.reads("page.receipt.pages", "count", "2")
	submission := sam.submission()
	w.forget()
	second.visit(sam.link)
	second.reads("page.problem.link-closed")

	dana := w.dana()
	w.forget() // her session is in Redis alone: she signs in again, and comes back to where she was
	dana.visit("http://" + w.desk + "/submissions/" + submission)
	dana.signIn(staffLogin, staffPassword)
	dana.showsPicture()
	dana.sees("1 of 2")
}

// forget makes Redis lose everything.
func (w *town) forget() {
	w.t.Helper()
	if err := w.redis.FlushAll(w.t.Context()).Err(); err != nil {
		w.t.Fatal(err)
	}
}
