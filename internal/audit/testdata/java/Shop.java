// A shop with mistakes planted for the audit to find.
import com.sun.net.httpserver.HttpServer;
import java.io.FileWriter;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Executors;

public class Shop {
    // mistake: a secret in the source
    static final String TOKEN = "@KEY@";

    public static void main(String[] args) throws Exception {
        // mistake: without SHOP_REGION this is a NullPointerException that names nothing
        String region = System.getenv("SHOP_REGION").trim();
        int port = Integer.parseInt(System.getenv().getOrDefault("PORT", "8080"));
        // mistake: a log file
        FileWriter log = new FileWriter("shop.log", true);
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        server.setExecutor(Executors.newFixedThreadPool(16));
        server.createContext("/", exchange -> {
            try {
                Thread.sleep(300); // its database takes its time
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            // mistake: what was sold is kept in a file of this replica
            Files.writeString(Path.of("sold.txt"), region + "\n");
            synchronized (log) {
                log.write("sold\n");
                log.flush();
            }
            byte[] answer = "sold\n".getBytes();
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        // mistake: no shutdown hook, so SIGTERM cuts requests off
        server.start();
    }
}
