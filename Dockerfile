# The image holds one static program and nothing else: no shell, no package,
# no file of an operating system. The program brings its own certificate roots
# and time zones.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags="-s -w" -o /out/dropslot ./cmd/dropslot \
	&& mkdir /out/data

FROM scratch
COPY --from=build /out/dropslot /dropslot
# 65532 is the "nonroot" of images without an operating system. The folder
# gives a new volume its owner.
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
VOLUME /data
WORKDIR /data
EXPOSE 8080 8081
# Without another program in it there is no HEALTHCHECK. Ask /healthz and
# /readyz of the ops listener from another container; for that it must listen
# on more than the default, which is loopback: listen: {ops: ":9090"}.
ENTRYPOINT ["/dropslot"]
CMD ["serve", "-c", "/data/dropslot.yaml", "--role", "intake"]
