ARG BASE=python:3.13-slim
FROM ${BASE} AS build
WORKDIR /src
COPY requirements.txt ./
RUN pip install --disable-pip-version-check --no-cache-dir --require-hashes --target /packages -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY rerun_action ./rerun_action
RUN pip install --disable-pip-version-check --no-cache-dir --no-deps --target /packages . \
 && rm -rf /packages/bin \
 && python -m compileall -q -j 0 --invalidation-mode unchecked-hash /packages

FROM ${BASE}
LABEL org.opencontainers.image.title="testsigma-rerun-action" \
      org.opencontainers.image.description="Reruns exactly what failed on Testsigma and tells the truth about it" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.source="https://github.com/OWNER/testsigma-rerun-action"
COPY --from=build /packages /usr/local/lib/python3.13/site-packages
COPY entrypoint.py /entrypoint.py
# Warms the standard library's bytecode, which the base image does not ship, and is the smoke test of the build.
RUN ["/usr/local/bin/python", "-Iu", "/entrypoint.py", "--version"]
ENTRYPOINT ["/usr/local/bin/python", "-Iu", "/entrypoint.py"]
