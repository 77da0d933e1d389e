import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.analysis.common.CommonAnalysisPlugin;
import org.opensearch.common.settings.Settings;
import org.opensearch.index.reindex.ReindexPlugin;
import org.opensearch.knn.plugin.KNNPlugin;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.painless.PainlessPlugin;
import org.opensearch.plugins.Plugin;
import org.opensearch.transport.Netty4Plugin;

/** One OpenSearch node whose plugins come from the class path: no plugin folder, no install script, any user. */
public final class OpenSearchNode extends Node {
    private static final List<Class<? extends Plugin>> PLUGINS =
            List.of(
                    Netty4Plugin.class,
                    CommonAnalysisPlugin.class,
                    ReindexPlugin.class,
                    PainlessPlugin.class,
                    KNNPlugin.class);

    private OpenSearchNode(Settings settings) {
        super(InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), null, () -> "techpotli"), PLUGINS, false);
    }

    /** Arguments: the node's folder, its HTTP port. Says {@code OpenSearch is ready} when it answers. */
    public static void main(String[] arguments) throws Exception {
        Path folder = Path.of(arguments[0]);
        Settings settings =
                Settings.builder()
                        .put("path.home", folder)
                        .put("cluster.name", "techpotli")
                        .put("network.host", "127.0.0.1")
                        .put("http.port", arguments[1])
                        .put("transport.port", "0")
                        .put("discovery.type", "single-node")
                        .put("cluster.routing.allocation.disk.threshold_enabled", false)
                        .build();
        OpenSearchNode node = new OpenSearchNode(settings);
        CountDownLatch stopped = new CountDownLatch(1);
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            try {
                node.close();
            } catch (Exception error) {
                error.printStackTrace();
            }
            stopped.countDown();
        }));
        node.start();
        node.client().admin().cluster().prepareHealth().setWaitForYellowStatus().get();
        System.out.println("OpenSearch is ready");
        stopped.await();
    }
}
