package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/redis/go-redis/v9"
	"github.com/twilio/twilio-go/client"
)

// The floors stand for what no implementation could leave out. They run as a
// process of their own, as the product does, so that both pay alike for
// sharing the processor with the load generator.

const floorCommand = "floor"

// What a link store does at the least: one key with an expiry, by a script.
var floorScript = redis.NewScript(`
-- KEYS[1] a link; ARGV[1] what it holds, ARGV[2] milliseconds to keep it. Returns 1.
redis.call('HSET', KEYS[1], 'link', ARGV[1], 'state', 'issued')
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`)

const floorAnswer = `<?xml version="1.0" encoding="UTF-8"?><Response><Message>North County Benefits: send your papers ` +
	`safely here. No app, no password. https://docs.example.gov/c/abcdefghijklmnopqrstuvwxyz Works for 4 hours.</Message></Response>`

// serveFloor answers on the address until the process is ended.
func serveFloor(address, redisURL, publicURL, folder string) error {
	options, err := redis.ParseURL(redisURL)
	if err != nil {
		return err
	}
	store := redis.NewClient(options)
	defer store.Close()
	router := echo.New()
	router.POST("/twilio/messages", floorWebhook(store, publicURL+"/twilio/messages"))
	router.POST("/upload", floorUpload(folder))
	server := &http.Server{Handler: router, ReadHeaderTimeout: 10 * time.Second}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	return server.Serve(listener)
}

// floorWebhook is a bare handler with twilio-go's validator and one script call.
func floorWebhook(store *redis.Client, signedURL string) echo.HandlerFunc {
	validator := client.NewRequestValidator(authToken)
	return func(c echo.Context) error {
		request := c.Request()
		if err := request.ParseForm(); err != nil {
			return c.NoContent(http.StatusBadRequest)
		}
		parameters := make(map[string]string, len(request.PostForm))
		for key := range request.PostForm {
			parameters[key] = request.PostForm.Get(key)
		}
		if !validator.Validate(signedURL, parameters, request.Header.Get("X-Twilio-Signature")) {
			return c.NoContent(http.StatusForbidden)
		}
		key := "floor:" + parameters["MessageSid"]
		if err := floorScript.Run(request.Context(), store, []string{key}, parameters["To"], 60_000).Err(); err != nil {
			return c.NoContent(http.StatusServiceUnavailable)
		}
		return c.Blob(http.StatusOK, "text/xml", []byte(floorAnswer))
	}
}

// floorUpload writes the plain body to a file and syncs nothing.
func floorUpload(folder string) echo.HandlerFunc {
	var files atomic.Int64
	return func(c echo.Context) error {
		name := filepath.Join(folder, "plain-"+strconv.FormatInt(files.Add(1), 10))
		file, err := os.Create(name)
		if err != nil {
			return c.NoContent(http.StatusInternalServerError)
		}
		// Without the wrapper, os.File would copy in pieces of 32 KiB.
		_, err = io.CopyBuffer(struct{ io.Writer }{file}, c.Request().Body, make([]byte, 64<<10))
		if closed := file.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return c.NoContent(http.StatusInternalServerError)
		}
		return c.NoContent(http.StatusCreated)
	}
}

// startFloor runs this same program as the floor.
func startFloor(ctx context.Context, h *house) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	folder := filepath.Join(h.folder, "floor")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	p, err := start(ctx, "floor", address, nil, self, floorCommand, address, h.redisURL, h.publicURL, folder)
	if err != nil {
		return nil, fmt.Errorf("floor: %w", err)
	}
	return p, nil
}
