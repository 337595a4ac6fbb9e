ARG BASE=python:3.13-slim

FROM ${BASE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /source
COPY requirements.txt requirements-build.txt ./
RUN pip install --require-hashes --no-compile --prefix /install -r requirements.txt \
 && pip install --require-hashes -r requirements-build.txt
COPY pyproject.toml README.md LICENSE ./
COPY rerun_action ./rerun_action
RUN pip install --no-deps --no-build-isolation --no-compile --prefix /install . \
 && rm -r /install/bin \
 && find /install '(' -name '*.pyi' -o -name '*.c' -o -name '*.pyx' -o -name RECORD ')' -delete
COPY docker/bytecode.py ./
RUN python -B bytecode.py /install
COPY entrypoint.py jenkins/ps jenkins/kill ./
# Anybody may run them, whatever the umask of the checkout was.
RUN chmod 644 entrypoint.py && chmod 755 ps kill

FROM ${BASE}
LABEL org.opencontainers.image.title="testsigma-rerun-action" \
      org.opencontainers.image.description="Reruns exactly what failed on Testsigma and tells the truth about it" \
      org.opencontainers.image.licenses="MIT"
COPY --from=build /install /usr/local
COPY --from=build /source/entrypoint.py /entrypoint.py
# Jenkins ends the steps of a `docker` agent with the container's own `ps` and `kill`, which slim images lack: an aborted
# build would leave the rerun going.
COPY --from=build /source/ps /source/kill /usr/bin/
# The smoke test of the build.
RUN ["/usr/local/bin/python", "-Iu", "/entrypoint.py", "--version"]
ENTRYPOINT ["/usr/local/bin/python", "-Iu", "/entrypoint.py"]
