package web

import (
	"context"
	"sync"
	"time"
)

// memorySessions is a session store on the test's clock.
type memorySessions struct {
	mu      sync.Mutex
	now     func() time.Time
	entries map[string]memorySession
	err     error
}

type memorySession struct {
	content []byte
	expires time.Time
}

func (m *memorySessions) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, found := m.entries[token]
	return e.content, found, m.err
}

func (m *memorySessions) TakeCtx(_ context.Context, token string) ([]byte, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, found := m.entries[token]
	delete(m.entries, token)
	return e.content, found && e.expires.After(m.now()), m.err
}

func (m *memorySessions) CommitCtx(_ context.Context, token string, b []byte, expiry time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries[token] = memorySession{b, expiry}
	return m.err
}

func (m *memorySessions) DeleteCtx(_ context.Context, token string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.entries, token)
	return m.err
}

func (m *memorySessions) Find(token string) ([]byte, bool, error) {
	return m.FindCtx(context.Background(), token)
}

func (m *memorySessions) Commit(token string, b []byte, expiry time.Time) error {
	return m.CommitCtx(context.Background(), token, b, expiry)
}

func (m *memorySessions) Delete(token string) error { return m.DeleteCtx(context.Background(), token) }
