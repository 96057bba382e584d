// Reads frames with zxing-cpp 1.4 (Debian libzxing-dev), all its tries on.
//
// Frames come on stdin and answers go to stdout, as answer.go says.
#define ZX_USE_UTF8 1 // text() gives UTF-8
#include <ZXing/ReadBarcode.h>
#include <ZXing/ZXVersion.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <exception>
#include <string>
#include <vector>

static int64_t nanoseconds(clockid_t id)
{
	timespec t;
	clock_gettime(id, &t);
	return int64_t(t.tv_sec) * 1000000000 + t.tv_nsec;
}

int main()
{
	auto hints = ZXing::DecodeHints()
	                 .setFormats(ZXing::BarcodeFormat::QRCode)
	                 .setTryHarder(true)
	                 .setTryRotate(true)
	                 .setTryDownscale(true);
	printf("ready zxing-cpp %d.%d.%d\n", ZXING_VERSION_MAJOR, ZXING_VERSION_MINOR, ZXING_VERSION_PATCH);
	fflush(stdout);
	std::vector<uint8_t> pixels;
	int width, height;
	while (scanf("%d %d", &width, &height) == 2 && getchar() == '\n') {
		if (width < 1 || height < 1 || int64_t(width) * height > 50000000)
			return 1;
		pixels.resize(size_t(width) * height);
		if (fread(pixels.data(), 1, pixels.size(), stdin) != pixels.size())
			return 1;
		std::vector<std::string> texts;
		int64_t wall = nanoseconds(CLOCK_MONOTONIC), cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID);
		try {
			for (auto& r : ZXing::ReadBarcodes({pixels.data(), width, height, ZXing::ImageFormat::Lum}, hints))
				if (r.isValid())
					texts.push_back(r.text());
		} catch (const std::exception&) {
			texts.clear();
		}
		cpu = nanoseconds(CLOCK_THREAD_CPUTIME_ID) - cpu, wall = nanoseconds(CLOCK_MONOTONIC) - wall;
		printf("%lld %lld %zu\n", (long long)wall, (long long)cpu, texts.size());
		for (auto& t : texts) {
			printf("%zu\n", t.size());
			fwrite(t.data(), 1, t.size(), stdout);
			putchar('\n');
		}
		fflush(stdout);
	}
}
